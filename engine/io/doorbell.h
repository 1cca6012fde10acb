#pragma once

#include <atomic>
#include <cstdint>

#include "engine/io/file_descriptor.h"
#include "engine/io/system_error.h"

namespace vigil::io {

/// Wakes one thread from another through an eventfd, and only when it may be asleep: between two busy threads it costs no system call.
///
/// The sleeper: arm(), then look once more at everything it could be woken for, then sleep until fd() is readable; awake: disarm(),
/// and clear() if fd() was readable. The other side: publish, then ring(). Either the last look sees what was published, or ring() sees the arming:
/// both are read-modify-writes of one atomic, so one of the two comes first.
class Doorbell {
public:
    static Result<Doorbell> make();
    Doorbell(Doorbell&& other) noexcept : event_(std::move(other.event_)), armed_(other.armed_.load()) {}

    int fd() const { return event_.get(); }
    void arm() { armed_.exchange(true, std::memory_order_acq_rel); }
    void disarm() { armed_.store(false, std::memory_order_relaxed); }
    /// Makes fd() unreadable again.
    void clear();
    void ring() {
        if (armed_.exchange(false, std::memory_order_acq_rel)) write();
    }

private:
    explicit Doorbell(FileDescriptor event) : event_(std::move(event)) {}
    void write();

    FileDescriptor event_;
    alignas(64) std::atomic<bool> armed_{false};
};

}  // namespace vigil::io
