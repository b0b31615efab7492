// The Node-API surface: every kernel of a table by name, one object of them per instruction set, and the number of threads. One template
// turns a C++ signature into argument conversion; a kernel's exception becomes a JavaScript one. Nothing here is chosen for the whole
// process but the threads: worker_threads load the addon again, each with its own objects.
#include <dlfcn.h>
#include <node_api.h>

#include <cmath>
#include <cstdlib>
#include <exception>
#include <string>
#include <tuple>
#include <utility>

#include "dispatch.h"
#include "thread_pool.h"

namespace signum {
namespace {

struct BadArgument : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class T>
struct ElementType;
template <> struct ElementType<float> { static constexpr napi_typedarray_type value = napi_float32_array; };
template <> struct ElementType<uint32_t> { static constexpr napi_typedarray_type value = napi_uint32_array; };
template <> struct ElementType<int32_t> { static constexpr napi_typedarray_type value = napi_int32_array; };

template <class T>
struct Argument;

template <class T>
struct Argument<Span<T>> {
  static Span<T> from(napi_env env, napi_value value) {
    napi_typedarray_type type;
    size_t length;
    void* data;
    if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != ElementType<T>::value) {
      throw BadArgument("a kernel argument is not a typed array of the expected kind");
    }
    // an empty array lies nowhere, and nowhere is no argument of memset
    static T nothing[1];
    if (!data) data = nothing;
    return {static_cast<T*>(data), length};
  }
};
double number_from(napi_env env, napi_value value) {
  double result;
  if (napi_get_value_double(env, value, &result) != napi_ok) throw BadArgument("a kernel argument is not a number");
  return result;
}
// counts, flags and names: none is negative
template <>
struct Argument<int> {
  static int from(napi_env env, napi_value value) {
    const double result = number_from(env, value);
    if (!(result >= 0 && result <= INT32_MAX && result == std::floor(result)))
      throw BadArgument("a kernel argument is " + std::to_string(result) + ", not a whole number from 0 to 2147483647");
    return int(result);
  }
};
template <>
struct Argument<float> {
  static float from(napi_env env, napi_value value) { return float(number_from(env, value)); }
};

template <class... A, size_t... I>
void call(napi_env env, const char* name, void (*kernel)(A...), napi_value* values, std::index_sequence<I...>) {
  try {
    const Caller caller;
    kernel(Argument<A>::from(env, values[I])...);
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, nullptr, (std::string(name) + ": out of memory").c_str());
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, (std::string(name) + ": " + error.what()).c_str());
  }
}

template <class... A>
void invoke(napi_env env, napi_callback_info info, const char* name, void (*KernelTable::*member)(A...)) {
  napi_value values[sizeof...(A)];
  size_t count = sizeof...(A);
  void* table;
  napi_get_cb_info(env, info, &count, values, nullptr, &table);
  void (*kernel)(A...) = static_cast<const KernelTable*>(table)->*member;
  if (count != sizeof...(A)) {
    napi_throw_error(env, nullptr, (std::string(name) + ": wrong number of arguments").c_str());
    return;
  }
  call(env, name, kernel, values, std::index_sequence_for<A...>{});
}

#define X(kernel, ...)                                                 \
  napi_value js_##kernel(napi_env env, napi_callback_info info) {      \
    invoke(env, info, #kernel, &KernelTable::kernel);                  \
    return nullptr;                                                    \
  }
SIGNUM_KERNELS(X)
#undef X

napi_value js_instruction_sets(napi_env env, napi_callback_info) {
  napi_value list;
  napi_create_array(env, &list);
  uint32_t i = 0;
  for (const KernelTable* table : supported_tables()) {
    napi_value name;
    napi_create_string_utf8(env, table->name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, list, i++, name);
  }
  return list;
}

void define(napi_env env, napi_value object, const char* name, napi_callback callback, const KernelTable* table = nullptr) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, const_cast<KernelTable*>(table), &function);
  napi_set_named_property(env, object, name, function);
}

void define_kernels(napi_env env, napi_value object, const KernelTable* table) {
#define X(kernel, ...) define(env, object, #kernel, js_##kernel, table);
  SIGNUM_KERNELS(X)
#undef X
}

napi_value js_kernels(napi_env env, napi_callback_info info) {
  napi_value value, object;
  size_t count = 1, length = 0;
  char wanted[32] = {};
  napi_get_cb_info(env, info, &count, &value, nullptr, nullptr);
  if (count == 1) napi_get_value_string_utf8(env, value, wanted, sizeof(wanted), &length);
  for (const KernelTable* table : supported_tables()) {
    if (std::string(table->name) != wanted) continue;
    napi_create_object(env, &object);
    define_kernels(env, object, table);
    return object;
  }
  napi_throw_error(env, nullptr, ("this CPU or build has no instruction set \"" + std::string(wanted) + "\"").c_str());
  return nullptr;
}

napi_value js_threads(napi_env env, napi_callback_info info) {
  napi_value value, result;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &value, nullptr, nullptr);
  int32_t wanted = 0;
  if (count == 1 && napi_get_value_int32(env, value, &wanted) == napi_ok && wanted > 0) set_thread_count(wanted);
  napi_create_int32(env, thread_count(), &result);
  return result;
}

// process.exit waits for other threads, which may be in a kernel for long
napi_value js_exit_now(napi_env env, napi_callback_info info) {
  napi_value value;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &value, nullptr, nullptr);
  int32_t status = 1;
  if (count == 1) napi_get_value_int32(env, value, &status);
  std::_Exit(status);
}

// Node unloads an addon with the last worker_thread that loaded it; the pool's threads would go on in code that is gone.
void stay_loaded() {
  Dl_info library;
  if (dladdr(reinterpret_cast<void*>(&stay_loaded), &library) && library.dli_fname)
    dlopen(library.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

}  // namespace
}  // namespace signum

NAPI_MODULE_INIT() {
  using namespace signum;
  stay_loaded();
  // the best instruction set's kernels, for who does not choose
  define_kernels(env, exports, supported_tables().front());
  define(env, exports, "instructionSets", js_instruction_sets);
  define(env, exports, "kernels", js_kernels);
  define(env, exports, "threads", js_threads);
  define(env, exports, "exitNow", js_exit_now);
  return exports;
}
