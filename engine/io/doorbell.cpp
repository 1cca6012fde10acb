#include "engine/io/doorbell.h"

#include <sys/eventfd.h>

namespace vigil::io {

Result<Doorbell> Doorbell::make() {
    FileDescriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!event.is_open()) return last_error("make eventfd");
    return Doorbell(std::move(event));
}

void Doorbell::clear() {
    std::uint64_t count = 0;
    (void)!::read(event_.get(), &count, sizeof count);   // EAGAIN: nobody rang
}

void Doorbell::write() {
    const std::uint64_t one = 1;
    (void)!::write(event_.get(), &one, sizeof one);      // EAGAIN: it is readable already
}

}  // namespace vigil::io
