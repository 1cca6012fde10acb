// The ring belongs to the kernel and the observer in turns, block by block: the status word in a block's header says to whom, and is
// read before and written after everything else in the block (acquire, release). Frames are packed within a block, so that 60 octets
// cost about 150 of memory and not a slot of 2 KiB: 128 MiB hold two seconds of 408,000 adverts a second.
//
// One socket for all interfaces rather than one for each: the ring's memory then serves whichever interface is busy, and there is a single
// place to look at. PACKET_IGNORE_OUTGOING (since Linux 4.20) keeps it off the transmit path of a daemon in the same namespace.
#include "bench/lab/observer/capture_ring.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include <array>
#include <atomic>
#include <memory>

namespace vigil::lab {
namespace {

constexpr std::uint16_t load_half = BPF_LD | BPF_H | BPF_ABS, load_byte = BPF_LD | BPF_B | BPF_ABS;
constexpr std::uint16_t if_equal = BPF_JMP | BPF_JEQ | BPF_K, give_back = BPF_RET | BPF_K;
constexpr std::uint32_t capture_bytes = 128, protocol_vrrp = 112;

/// ARP; IPv4 with VRRP or AH; IPv6 with VRRP or a neighbour advertisement. Jumps are counted from the next line.
constexpr std::array<sock_filter, 14> filter{{
    {load_half, 0, 0, 12},
    {if_equal, 10, 0, ETH_P_ARP},
    {if_equal, 0, 3, ETH_P_IP},
    {load_byte, 0, 0, 14 + 9},
    {if_equal, 7, 0, protocol_vrrp},
    {if_equal, 6, 7, IPPROTO_AH},
    {if_equal, 0, 6, ETH_P_IPV6},
    {load_byte, 0, 0, 14 + 6},
    {if_equal, 3, 0, protocol_vrrp},
    {if_equal, 0, 3, IPPROTO_ICMPV6},
    {load_byte, 0, 0, 14 + 40},
    {if_equal, 0, 1, 136},
    {give_back, 0, 0, capture_bytes},
    {give_back, 0, 0, 0},
}};

Nanoseconds read_clock(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return Nanoseconds{now.tv_sec * 1'000'000'000LL + now.tv_nsec};
}

/// CLOCK_MONOTONIC minus CLOCK_REALTIME, from the closest of several readings.
Nanoseconds clock_offset() {
    Nanoseconds offset{0}, closest = Nanoseconds::max();
    for (int i = 0; i < 10; ++i) {
        const Nanoseconds before = read_clock(CLOCK_MONOTONIC), real = read_clock(CLOCK_REALTIME), after = read_clock(CLOCK_MONOTONIC);
        if (after - before >= closest) continue;
        closest = after - before;
        offset = before + closest / 2 - real;
    }
    return offset;
}

template <typename Value>
bool set_option(int socket, int level, int name, const Value& value) {
    return ::setsockopt(socket, level, name, &value, sizeof value) == 0;
}

std::atomic_ref<std::uint32_t> status_of(std::uint8_t* block) {
    return std::atomic_ref(reinterpret_cast<tpacket_block_desc*>(block)->hdr.bh1.block_status);
}

}  // namespace

io::Result<CaptureRing> CaptureRing::open(std::size_t block_count) {
    // Protocol 0: nothing is delivered before bind(), when filter and ring are in place.
    io::FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    if (!socket.is_open()) return io::last_error("opening a packet socket");
    if (!set_option(socket.get(), SOL_PACKET, PACKET_VERSION, int{TPACKET_V3})) return io::last_error("asking for TPACKET_V3");
    if (!set_option(socket.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)) return io::last_error("ignoring outgoing frames");
    sock_fprog program{.len = filter.size(), .filter = const_cast<sock_filter*>(filter.data())};
    if (!set_option(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, program)) return io::last_error("attaching the packet filter");
    tpacket_req3 request{};
    request.tp_block_size = block_bytes;
    request.tp_block_nr = static_cast<unsigned>(block_count);
    request.tp_frame_size = 256;
    request.tp_frame_nr = static_cast<unsigned>(block_bytes / request.tp_frame_size * block_count);
    request.tp_retire_blk_tov = retire_milliseconds;
    if (!set_option(socket.get(), SOL_PACKET, PACKET_RX_RING, request)) return io::last_error("making the receive ring");
    void* memory = ::mmap(nullptr, block_bytes * block_count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, socket.get(), 0);
    if (memory == MAP_FAILED) return io::last_error("mapping the receive ring");
    CaptureRing ring(std::move(socket), static_cast<std::uint8_t*>(memory), block_count);
    sockaddr_ll everywhere{};
    everywhere.sll_family = AF_PACKET;
    everywhere.sll_protocol = htons(ETH_P_ALL);
    if (::bind(ring.descriptor(), reinterpret_cast<const sockaddr*>(&everywhere), sizeof everywhere) != 0) return io::last_error("binding to all interfaces");
    return ring;
}

CaptureRing::CaptureRing(io::FileDescriptor socket, std::uint8_t* memory, std::size_t block_count)
    : socket_(std::move(socket)), memory_(memory), block_count_(block_count), to_monotonic_(clock_offset()) {}

CaptureRing::~CaptureRing() {
    if (memory_ != nullptr) ::munmap(memory_, block_bytes * block_count_);
}

bool CaptureRing::begin_block() {
    std::uint8_t* block = memory_ + next_block_ * block_bytes;
    if ((status_of(block).load(std::memory_order_acquire) & TP_STATUS_USER) == 0) return false;
    const tpacket_hdr_v1& header = reinterpret_cast<const tpacket_block_desc*>(block)->hdr.bh1;
    frames_left_ = header.num_pkts;
    next_frame_ = block + header.offset_to_first_pkt;
    return true;
}

bool CaptureRing::next_frame(Frame& frame) {
    if (frames_left_ == 0) return false;
    const auto& header = *reinterpret_cast<const tpacket3_hdr*>(next_frame_);
    const auto& link = *reinterpret_cast<const sockaddr_ll*>(next_frame_ + TPACKET_ALIGN(int{sizeof(tpacket3_hdr)}));
    frame.bytes = {next_frame_ + header.tp_mac, header.tp_snaplen};
    frame.interface_index = static_cast<std::uint32_t>(link.sll_ifindex);
    frame.arrival = Nanoseconds{header.tp_sec * 1'000'000'000LL + header.tp_nsec} + to_monotonic_;
    next_frame_ += header.tp_next_offset;
    --frames_left_;
    return true;
}

void CaptureRing::end_block() {
    status_of(memory_ + next_block_ * block_bytes).store(TP_STATUS_KERNEL, std::memory_order_release);
    next_block_ = (next_block_ + 1) % block_count_;
}

RingCounters CaptureRing::take_counters() const {
    tpacket_stats_v3 counters{};
    socklen_t size = sizeof counters;
    if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &counters, &size) != 0) return {};
    return {counters.tp_packets, counters.tp_drops, counters.tp_freeze_q_cnt};
}

Nanoseconds CaptureRing::clock_drift() const { return clock_offset() - to_monotonic_; }

}  // namespace vigil::lab
