// Keeps signals away from threads while libtensorflow computes on them. In some products its oneDNN points the stack register into the heap, where
// the frame of a signal's handler overwrites what lies before it, and the process dies of that later (uxlfoundation/oneDNN#4845). Another thread
// handles the signal, or this one a moment later. The linker's --wrap sends the addon's calls here.
#include <csignal>
#include <initializer_list>
#include <tensorflow/c/eager/c_api.h>

namespace {
class NoSignals {
 public:
  NoSignals() {
    sigset_t others;
    sigfillset(&others);
    // What a thread raises by its own fault cannot wait.
    for (const int own : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP}) sigdelset(&others, own);
    pthread_sigmask(SIG_BLOCK, &others, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};
}  // namespace

extern "C" {
TFE_Context* __real_TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status);
void __real_TFE_Execute(TFE_Op* op, TFE_TensorHandle** results, int* count, TF_Status* status);

// The library's own threads start with the mask of the one that makes them.
TFE_Context* __wrap_TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status) {
  const NoSignals none;
  return __real_TFE_NewContext(options, status);
}

void __wrap_TFE_Execute(TFE_Op* op, TFE_TensorHandle** results, int* count, TF_Status* status) {
  const NoSignals none;
  __real_TFE_Execute(op, results, count, status);
}
}
