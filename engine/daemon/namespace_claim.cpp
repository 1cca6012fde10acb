#include "engine/daemon/namespace_claim.h"

#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>

#include "arp/netlink/socket.h"

namespace vigil::daemon {
namespace {

constexpr int place_count = 16;

std::string name_of(int place) { return "vigil-vrrp/" + std::to_string(place); }

/// Whose the socket with this abstract name is; nullopt when there is none or the kernel does not tell.
std::optional<uid_t> owner_of(const std::string& name) {
    auto socket = netlink::NetlinkSocket::open({.protocol = NETLINK_SOCK_DIAG});
    if (!socket) return std::nullopt;
    netlink::RequestRoom room{};
    netlink::MessageWriter message(room.bytes, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, socket->next_sequence());
    auto* request = message.put_header<unix_diag_req>();
    request->sdiag_family = AF_UNIX;
    request->udiag_states = ~0u;
    request->udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_UID;
    std::optional<uid_t> owner;
    const auto asked = socket->query(message, [&](const nlmsghdr& answer) {
        const netlink::AttributeTable attributes(answer, sizeof(unix_diag_msg));
        const nlattr* found = attributes.find(UNIX_DIAG_NAME);
        const std::string wanted = '\0' + name;
        if (found == nullptr || found->nla_len != sizeof(nlattr) + wanted.size()) return;
        if (std::memcmp(reinterpret_cast<const char*>(found) + sizeof(nlattr), wanted.data(), wanted.size()) == 0) owner = attributes.u32(UNIX_DIAG_UID);
    });
    return asked ? owner : std::nullopt;
}

/// Anybody may take a name, and nobody but root runs a vigild.
bool is_another_vigild(int place) {
    const auto owner = owner_of(name_of(place));
    return !owner || *owner == 0 || *owner == ::geteuid();
}

/// An open descriptor when the place was free; errno tells EADDRINUSE otherwise.
io::FileDescriptor bind_place(int place) {
    const std::string name = name_of(place);
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
        if (!socket.is_open()) claim.is_alone_ = claim.is_alone_ && (errno != EADDRINUSE || !is_another_vigild(place));
        else if (!claim.socket_.is_open()) claim.socket_ = std::move(socket), claim.place_ = place;
    }
    return claim;
}

}  // namespace vigil::daemon
