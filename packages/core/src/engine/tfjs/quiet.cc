// A Node addon that exports nothing: it loads libtensorflow's framework with stderr silenced for that moment. While loading, the library
// reports the CPU it runs on and the use of oneDNN, before anything could tell it not to. Its later messages are shown.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

extern "C" __attribute__((visibility("default"))) void* napi_register_module_v1(void*, void* exports) {
  const int terminal = dup(STDERR_FILENO);
  const int nowhere = open("/dev/null", O_WRONLY);
  if (terminal >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  // Found through this addon's rpath. If it does not load, the addon that needs it reports why.
  dlopen("libtensorflow_framework.so.2", RTLD_NOW);
  if (terminal >= 0 && nowhere >= 0) dup2(terminal, STDERR_FILENO);
  if (terminal >= 0) close(terminal);
  if (nowhere >= 0) close(nowhere);
  return exports;
}
