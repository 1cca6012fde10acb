#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "engine/io/file_descriptor.h"

namespace vigil::daemon {

/// What the kernel's process connector tells of a process (threads are left out).
struct ProcessEvent {
    enum class Kind : std::uint8_t {
        acknowledged,   ///< it will tell
        started,        ///< `process` is a copy of `parent`
        changed,        ///< it runs another program, or gave itself another name
        ended,
    };
    Kind kind = Kind::acknowledged;
    pid_t process = 0;
    pid_t parent = 0;   ///< of `started`

    friend bool operator==(const ProcessEvent&, const ProcessEvent&) = default;
};

/// One netlink message of the connector; nullopt for anything else.
std::optional<ProcessEvent> read_process_event(std::span<const std::byte> message);

/// A listener at the process connector.
class ProcessEvents {
public:
    /// The connector answers only in the first namespaces of processes and users, and on sockets of the first network namespace: the socket is made
    /// there, through `first_namespace`, when ours is another. Needs CAP_NET_ADMIN, and to go there CAP_SYS_ADMIN and CAP_SYS_PTRACE. The error says
    /// why not, as a part of a sentence.
    static tl::expected<ProcessEvents, std::string> open(const std::string& first_namespace = "/proc/1/ns/net");

    ProcessEvents(ProcessEvents&&) noexcept = default;
    ProcessEvents& operator=(ProcessEvents&&) noexcept = default;
    ~ProcessEvents();

    int fd() const { return socket_.get(); }
    /// Octets of kernel memory for what has not been read; as far as the rights allow.
    void set_receive_buffer(int octets);
    /// Appends what has come. False: some was lost (ENOBUFS), look at all processes again.
    bool read(std::vector<ProcessEvent>& events);

private:
    explicit ProcessEvents(io::FileDescriptor socket) : socket_(std::move(socket)) {}

    io::FileDescriptor socket_;
};

}  // namespace vigil::daemon
