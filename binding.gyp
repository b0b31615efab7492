{
  "variables": {
    "older_glibc%": "",
    "common_cflags": ["-std=c++20", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fvisibility=hidden", "-Wall", "-Wno-psabi", "-Wno-unused-function"]
  },
  "target_defaults": {
    "cflags_cc!": ["-fno-exceptions", "-std=gnu++17", "-fno-rtti"],
    "cflags_cc": ["<@(common_cflags)"],
    "cflags": ["-fPIC"],
    "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["<@(common_cflags)"], "GCC_ENABLE_CPP_EXCEPTIONS": "YES" }
  },
  "targets": [
    { "target_name": "isa_scalar", "type": "static_library", "sources": ["kernels/native/isa_scalar.cpp"],
      "cflags_cc": ["-Os"] },
    {
      "target_name": "signum",
      "cflags_cc": ["-Os"],
      "sources": ["kernels/native/addon.cpp", "kernels/native/dispatch.cpp", "kernels/native/thread_pool.cpp"],
      "dependencies": ["isa_scalar"],
      "conditions": [
        ["older_glibc!=''", {
          "sources": ["kernels/native/older_glibc.cpp"],
          "ldflags": ["-s", "-Wl,--gc-sections", "-static-libstdc++", "-static-libgcc", "-Wl,--exclude-libs,ALL", "-L<(older_glibc)"]
        }],
        ["target_arch=='x64'", { "dependencies": ["isa_avx2", "isa_avx512"] }],
        ["target_arch=='arm64'", { "dependencies": ["isa_neon"] }]
      ]
    }
  ],
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        { "target_name": "isa_avx2", "type": "static_library", "sources": ["kernels/native/isa_avx2.cpp"],
          "cflags_cc": ["-mavx2", "-mfma", "-mpopcnt"], "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-mavx2", "-mfma", "-mpopcnt"] } },
        { "target_name": "isa_avx512", "type": "static_library", "sources": ["kernels/native/isa_avx512.cpp"],
          "cflags_cc": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512vpopcntdq", "-mfma", "-mpopcnt", "-mprefer-vector-width=512", "-Wno-maybe-uninitialized"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512vpopcntdq", "-mfma", "-mpopcnt"] } }
      ]
    }],
    ["target_arch=='arm64'", {
      "targets": [
        { "target_name": "isa_neon", "type": "static_library", "sources": ["kernels/native/isa_neon.cpp"] }
      ]
    }]
  ]
}
