// The Node-API surface: every kernel of the table by name, and the choice of instruction set and threads. One template turns a C++
// signature into argument conversion; a kernel's exception becomes a JavaScript one.
#include <node_api.h>

#include <exception>
#include <string>
#include <tuple>
#include <utility>

#include "dispatch.h"
#include "thread_pool.h"

namespace signum {
namespace {

const KernelTable* active = nullptr;

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
    return {static_cast<T*>(data), length};
  }
};
template <>
struct Argument<int> {
  static int from(napi_env env, napi_value value) {
    int32_t result;
    if (napi_get_value_int32(env, value, &result) != napi_ok) throw BadArgument("a kernel argument is not a number");
    return result;
  }
};
template <>
struct Argument<float> {
  static float from(napi_env env, napi_value value) {
    double result;
    if (napi_get_value_double(env, value, &result) != napi_ok) throw BadArgument("a kernel argument is not a number");
    return float(result);
  }
};

template <class... A, size_t... I>
void call(napi_env env, const char* name, void (*kernel)(A...), napi_value* values, std::index_sequence<I...>) {
  try {
    kernel(Argument<A>::from(env, values[I])...);
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, (std::string(name) + ": " + error.what()).c_str());
  }
}

template <class... A>
void invoke(napi_env env, napi_callback_info info, const char* name, void (*kernel)(A...)) {
  napi_value values[sizeof...(A)];
  size_t count = sizeof...(A);
  napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  if (count != sizeof...(A)) {
    napi_throw_error(env, nullptr, (std::string(name) + ": wrong number of arguments").c_str());
    return;
  }
  call(env, name, kernel, values, std::index_sequence_for<A...>{});
}

#define X(kernel, ...)                                                 \
  napi_value js_##kernel(napi_env env, napi_callback_info info) {      \
    invoke(env, info, #kernel, active->kernel);                        \
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

napi_value js_use_instruction_set(napi_env env, napi_callback_info info) {
  napi_value value;
  size_t count = 1, length = 0;
  char wanted[32] = {};
  napi_get_cb_info(env, info, &count, &value, nullptr, nullptr);
  napi_get_value_string_utf8(env, value, wanted, sizeof(wanted), &length);
  for (const KernelTable* table : supported_tables()) {
    if (std::string(table->name) == wanted) {
      active = table;
      return nullptr;
    }
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

void define(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace
}  // namespace signum

NAPI_MODULE_INIT() {
  using namespace signum;
  active = supported_tables().front();
#define X(kernel, ...) define(env, exports, #kernel, js_##kernel);
  SIGNUM_KERNELS(X)
#undef X
  define(env, exports, "instructionSets", js_instruction_sets);
  define(env, exports, "useInstructionSet", js_use_instruction_set);
  define(env, exports, "threads", js_threads);
  return exports;
}
