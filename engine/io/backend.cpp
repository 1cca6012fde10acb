#include "engine/io/backend.h"

namespace vigil::io {
namespace {

Result<ChosenBackend> without_reason(Result<std::unique_ptr<Backend>> backend) {
    return std::move(backend).map([](std::unique_ptr<Backend>&& made) { return ChosenBackend{std::move(made), {}}; });
}

}  // namespace

Result<ChosenBackend> make_backend(BackendChoice choice, std::size_t link_count, int wake_fd) {
    if (choice == BackendChoice::epoll) return without_reason(make_epoll_backend(link_count, wake_fd));
    auto uring = make_uring_backend(link_count, wake_fd);
    if (uring || choice == BackendChoice::uring) return without_reason(std::move(uring));
    // Refused by a container's seccomp profile (EPERM), by kernel.io_uring_disabled (EPERM), by an old kernel (ENOSYS, EINVAL) or for want of
    // locked memory (ENOMEM): whatever it is, the other way works with the same rings.
    std::string reason = "io_uring is not available (" + uring.error().text() + ")";
    return make_epoll_backend(link_count, wake_fd).map([&](std::unique_ptr<Backend>&& made) {
        return ChosenBackend{std::move(made), std::move(reason)};
    });
}

}  // namespace vigil::io
