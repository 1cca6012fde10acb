#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/core/tx_batch.h"
#include "engine/io/link_port.h"
#include "engine/io/system_error.h"

namespace vigil::io {

/// A frame that the kernel did not take.
struct TransmitError {
    std::uint32_t sequence = 0;   ///< position among all frames queued since the last finish()
    int number = 0;               ///< errno; ENXIO also when the link has no port
};

/// How frames leave and how the fast thread sleeps. Receiving needs no backend: the rings are memory.
///
/// One exchange is queue(), any number of times, then finish(). The frames leave in the order of the queue() calls, per link in the order within;
/// their bytes must stay unchanged until finish() returns. No send ever blocks: what the kernel does not take at once is an error.
class Backend {
public:
    virtual ~Backend() = default;

    /// "uring" or "epoll".
    virtual const char* name() const = 0;
    /// Called once by the fast thread before anything below.
    virtual Result<void> attach_to_this_thread() = 0;

    /// From now on frames of port.link() leave through `port`, and its arrivals wake finish(). The link must have no port.
    virtual void attach(LinkPort& port) = 0;
    /// The link has no port any more; the port itself comes out of take_detached(), perhaps later.
    virtual void detach(engine::LinkIndex link) = 0;
    /// A detached port that nothing in here or in the kernel refers to any more, or nullptr.
    virtual LinkPort* take_detached() = 0;

    virtual void queue(std::span<const engine::TxFrame> frames) = 0;
    /// Sends all that was queued. Then, if `wait_until` lies ahead, sleeps until then, or a frame arrives, or the doorbell rings, or a send
    /// failed; may return early for no reason.
    virtual void finish(Instant wait_until) = 0;
    /// What failed since the last call; at most `error_capacity` are kept. Valid until the next queue().
    virtual std::span<const TransmitError> take_errors() = 0;

    /// For finish(): do not sleep.
    static constexpr Instant no_wait{0};
    static constexpr std::size_t error_capacity = 4096;
};

enum class BackendChoice : std::uint8_t { automatic, uring, epoll };

struct ChosenBackend {
    std::unique_ptr<Backend> backend;
    std::string fallback_reason;   ///< why automatic did not take io_uring; empty when it did
};

/// `wake_fd`: eventfd of the fast thread's doorbell, read empty by the backend. `link_count`: links are numbered below it. Called on the
/// control thread; takes all memory that the backend will ever need.
Result<ChosenBackend> make_backend(BackendChoice choice, std::size_t link_count, int wake_fd);

Result<std::unique_ptr<Backend>> make_uring_backend(std::size_t link_count, int wake_fd);
Result<std::unique_ptr<Backend>> make_epoll_backend(std::size_t link_count, int wake_fd);

}  // namespace vigil::io
