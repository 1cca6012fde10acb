#pragma once

#include <atomic>
#include <cstddef>

/// For a binary of its own, because operator new is replaced in all of it: how often threads that want to be counted take memory from the heap.
namespace vigil::test {

/// Of the calling thread.
extern thread_local bool is_counting_allocations;
extern std::atomic<std::size_t> allocation_count;

}  // namespace vigil::test
