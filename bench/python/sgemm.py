"""GFLOP/s of NumPy's (OpenBLAS) single-precision product of two 1024x1024 matrices: the median of 15 after warm-up."""
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = sys.argv[1]
import numpy as np  # noqa: E402

n = 1024
a = np.random.rand(n, n).astype(np.float32)
b = np.random.rand(n, n).astype(np.float32)
times = []
for i in range(25):
    begin = time.perf_counter()
    a @ b
    times.append(time.perf_counter() - begin)
print(2 * n**3 / sorted(times[10:])[7] / 1e9)
