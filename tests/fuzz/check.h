#pragma once

#include <cstdio>
#include <cstdlib>

/// A property that must hold for every input, in every build type. Stops the target where libFuzzer and ctest both see it.
#define FUZZ_CHECK(condition)                                                                 \
    do {                                                                                      \
        if (!(condition)) {                                                                   \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                     \
        }                                                                                     \
    } while (false)
