#include "engine/daemon/namespace_claim.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

namespace vigil::daemon {
namespace {

constexpr int place_count = 16;

/// An open descriptor when the place was free; errno tells EADDRINUSE otherwise.
io::FileDescriptor bind_place(int place) {
    const std::string name = "vigil-vrrp/" + std::to_string(place);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    io::FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) socket.reset();
    return socket;
}

}  // namespace

NamespaceClaim NamespaceClaim::take() {
    NamespaceClaim claim;
    for (int place = 0; place < place_count; ++place) {
        errno = 0;
        io::FileDescriptor socket = bind_place(place);
        if (!socket.is_open()) claim.is_alone_ = claim.is_alone_ && errno != EADDRINUSE;
        else if (!claim.socket_.is_open()) claim.socket_ = std::move(socket), claim.place_ = place;
    }
    return claim;
}

}  // namespace vigil::daemon
