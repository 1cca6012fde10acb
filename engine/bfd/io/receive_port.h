#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "engine/bfd/session_table.h"
#include "engine/io/clock.h"
#include "engine/io/file_descriptor.h"
#include "engine/io/system_error.h"

namespace vigil::bfd {

/// One of the four sockets that control packets of all sessions come to: IPv4 or IPv6, port 3784 or 4784.
class ReceivePort {
public:
    static constexpr std::size_t batch = 64;

    /// Nobody else may hold the port.
    static io::Result<ReceivePort> open(Family family, bool is_multihop);
    ReceivePort(ReceivePort&&) noexcept;
    ReceivePort& operator=(ReceivePort&&) noexcept;
    ~ReceivePort();

    int fd() const { return socket_.get(); }
    /// Up to `batch` datagrams, oldest first, in the order of arrival; they are valid until the next call. Fewer than `batch`: there were no more.
    std::span<const Datagram> read(const io::clock::ArrivalWindow& window);

private:
    struct Buffers;
    ReceivePort(io::FileDescriptor socket, bool is_multihop);

    io::FileDescriptor socket_;
    bool is_multihop_ = false;
    std::unique_ptr<Buffers> buffers_;
};

}  // namespace vigil::bfd
