// Which instruction sets this build holds and this CPU runs, best first.
#pragma once
#include <vector>

#include "kernel_table.h"

namespace signum {
std::vector<const KernelTable*> supported_tables();
}
