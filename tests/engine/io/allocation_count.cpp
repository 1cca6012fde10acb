#include "tests/engine/io/allocation_count.h"

#include <cstdlib>
#include <new>

namespace vigil::test {

thread_local bool is_counting_allocations = false;
std::atomic<std::size_t> allocation_count{0};

}  // namespace vigil::test

namespace {

void* allocate(std::size_t size) {
    using namespace vigil::test;
    if (is_counting_allocations) allocation_count.fetch_add(1, std::memory_order_relaxed);
    void* memory = std::malloc(size);
    if (memory == nullptr) std::abort();
    return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
