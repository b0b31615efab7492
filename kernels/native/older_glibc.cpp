// Linked into the prebuilt addon only (scripts/older-glibc.mjs): what the static C++ runtime of a new compiler asks of a C library newer
// than the prebuilt addon may need. Without these three it would load on no system older than the one it was linked on.
#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace __gnu_cxx {
/** Tells the type of an exception that nobody catches, with a demangler of 50 kB: the addon catches all of its own. */
void __verbose_terminate_handler() { std::abort(); }
}  // namespace __gnu_cxx

extern "C" {

/** glibc 2.32; 0 = locks are always real ones. */
char __libc_single_threaded = 0;

/** glibc 2.36; the C++ runtime asks it for the seed of std::random_device, which no kernel uses. */
uint32_t arc4random() {
  uint32_t value = 0;
  return getentropy(&value, sizeof value) == 0 ? value : 0;
}

#if defined(DLFO_STRUCT_HAS_EH_DBASE)
/** glibc 2.35; the unwinder asks for the loaded object around an address. This is the older and slower way to the same answer. */
int _dl_find_object(void* address, dl_find_object* result) noexcept {
  struct Search {
    uintptr_t address;
    dl_find_object* result;
  } search{reinterpret_cast<uintptr_t>(address), result};
  const auto visit = [](dl_phdr_info* object, size_t, void* data) -> int {
    const Search& wanted = *static_cast<Search*>(data);
    bool inside = false;
    void* unwinding = nullptr;
    uintptr_t first = UINTPTR_MAX, end = 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
      const ElfW(Phdr)& segment = object->dlpi_phdr[i];
      const uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
      if (segment.p_type == PT_GNU_EH_FRAME) unwinding = reinterpret_cast<void*>(begin);
      if (segment.p_type != PT_LOAD) continue;
      inside |= wanted.address - begin < segment.p_memsz;
      first = begin < first ? begin : first;
      end = begin + segment.p_memsz > end ? begin + segment.p_memsz : end;
    }
    if (!inside || !unwinding) return 0;
    *wanted.result = {};
    wanted.result->dlfo_map_start = reinterpret_cast<void*>(first);
    wanted.result->dlfo_map_end = reinterpret_cast<void*>(end);
    wanted.result->dlfo_eh_frame = unwinding;
    return 1;
  };
  return dl_iterate_phdr(visit, &search) == 1 ? 0 : -1;
}
#endif

}  // extern "C"
