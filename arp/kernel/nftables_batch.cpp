// Transactions of nftables.
//
// A transaction is one datagram: NFNL_MSG_BATCH_BEGIN, the changes, NFNL_MSG_BATCH_END. The kernel checks them all, commits, and only
// then answers, within our own system call. A change that fails spoils the whole: the kernel reports each that failed and undoes the rest. So one
// acknowledgement is asked for, with the last change; when it arrives and no error came with it, everything is done. An error of the
// commit itself carries the sequence number of the first message.

#include "arp/kernel/nftables_batch.h"

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vigil::arp::kernel {

namespace {

constexpr std::size_t largest_transaction = 4 << 20;
constexpr std::size_t frame_room = 64;  // for the begin or the end of a transaction

}  // namespace

NftablesBatch::NftablesBatch(NetlinkSocket& socket, std::uint8_t family) : socket_(socket), family_(family) {}

void NftablesBatch::open_transaction() {
    bytes_.resize(std::max(bytes_.size(), frame_room));
    first_sequence_ = socket_.next_sequence();
    used_ = nftnl_batch_begin(reinterpret_cast<char*>(bytes_.data()), first_sequence_)->nlmsg_len;
    last_message_ = 0;
}

nlmsghdr* NftablesBatch::begin(std::uint16_t type, std::uint16_t flags, std::size_t room) {
    const std::size_t limit = std::min(largest_transaction, static_cast<std::size_t>(socket_.send_buffer_bytes()) / 8 * 7);
    if (last_message_ != 0 && used_ + room + 2 * frame_room > limit) send_transaction();
    if (used_ == 0) open_transaction();
    const std::size_t needed = used_ + room + 2 * frame_room;
    if (bytes_.size() < needed) bytes_.resize(2 * needed);
    last_message_ = used_;
    last_sequence_ = socket_.next_sequence();
    return nftnl_nlmsg_build_hdr(reinterpret_cast<char*>(bytes_.data() + used_), type, family_, flags, last_sequence_);
}

void NftablesBatch::end(const nlmsghdr* message) { used_ += (message->nlmsg_len + 3) & ~std::size_t{3}; }

void NftablesBatch::send_now() {
    if (last_message_ != 0) send_transaction();
}

void NftablesBatch::send_transaction() {
    reinterpret_cast<nlmsghdr*>(bytes_.data() + last_message_)->nlmsg_flags |= NLM_F_ACK;
    used_ += nftnl_batch_end(reinterpret_cast<char*>(bytes_.data() + used_), socket_.next_sequence())->nlmsg_len;
    const std::size_t size = std::exchange(used_, 0);
    last_message_ = 0;
    if (error_) return;
    if (auto sent = socket_.send(std::span(bytes_).first(size)); !sent) {
        error_ = sent.error();
    } else if (auto verdict = read_verdicts(first_sequence_); !verdict) {
        error_ = verdict.error();
    }
}

/// Everything that the kernel queued is read, so that a late error is never taken for one of the next transaction.
KernelResult<void> NftablesBatch::read_verdicts(std::uint32_t first_sequence) {
    std::optional<KernelError> failure;
    bool is_answered = false;
    for (;;) {
        const auto datagram = socket_.receive();
        if (!datagram) {
            if (!failure) failure = datagram.error();
            if (datagram.error().error_number == ENOBUFS) continue;
            break;
        }
        if (datagram->empty()) break;
        for_each_message(*datagram, [&](const nlmsghdr& message) {
            if (message.nlmsg_type != NLMSG_ERROR || message.nlmsg_seq - first_sequence > last_sequence_ - first_sequence) return;
            KernelError verdict = read_verdict(message);
            if (verdict.error_number != 0 && !failure) failure = std::move(verdict);
            is_answered = is_answered || message.nlmsg_seq == last_sequence_;
        });
    }
    if (failure) return tl::unexpected(*failure);
    if (!is_answered) return refused(EIO, "the kernel did not answer an nftables transaction");
    return {};
}

KernelResult<void> NftablesBatch::commit() {
    send_now();
    auto error = std::exchange(error_, std::nullopt);
    if (error) return tl::unexpected(std::move(*error));
    return {};
}

}  // namespace vigil::arp::kernel
