// An addon of Node that exports nothing: it loads libtensorflow's framework with stderr closed for that moment. While it loads, the
// library says which CPU it runs on and that oneDNN is in use, before anything could tell it not to. Whatever it says later is shown.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

extern "C" __attribute__((visibility("default"))) void* napi_register_module_v1(void*, void* exports) {
  const int terminal = dup(STDERR_FILENO);
  const int nowhere = open("/dev/null", O_WRONLY);
  if (terminal >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  // Found by this addon's rpath. If it cannot be loaded, the addon that needs it says why.
  dlopen("libtensorflow_framework.so.2", RTLD_NOW);
  if (terminal >= 0 && nowhere >= 0) dup2(terminal, STDERR_FILENO);
  if (terminal >= 0) close(terminal);
  if (nowhere >= 0) close(nowhere);
  return exports;
}
