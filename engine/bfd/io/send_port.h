#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <span>

#include "engine/bfd/session_table.h"
#include "engine/io/file_descriptor.h"
#include "engine/io/system_error.h"

namespace vigil::bfd {

/// The socket that a session sends from: a source port of its own (RFC 5881 §4: 49152-65535, the same for the session's life), its TTL, its source address.
class SendPort {
public:
    SendPort() = default;
    /// The address need not be there yet: then send() fails until it is.
    static io::Result<SendPort> open(const SessionSpec& spec);

    /// Never waits. 0, or why the kernel refused it.
    int send(std::span<const std::uint8_t> packet) const;
    std::uint16_t source_port() const { return source_port_; }

private:
    io::FileDescriptor socket_;
    sockaddr_in6 neighbor_{};        // of either family
    socklen_t neighbor_size_ = 0;
    std::uint16_t source_port_ = 0;
};

}  // namespace vigil::bfd
