#include "engine/cli/capture_file.h"

#include <fmt/core.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>

namespace vigil::cli {
namespace {

constexpr const char* how_to_capture = "tcpdump -i INTERFACE -w FILE 'ip proto 112 or ip proto 51 or ip6 proto 112 or arp or icmp6'";
/// Until the year 2200: beyond, nanoseconds would overflow.
constexpr std::int64_t max_seconds = 7'258'118'400;

std::string link_type_refused(const std::string& path, int link_type) {
    const char* name = pcap_datalink_val_to_name(link_type);
    const bool is_any = link_type == DLT_LINUX_SLL || link_type == DLT_LINUX_SLL2;
    return fmt::format("{}: link type is {}, but only Ethernet can be replayed{}. Capture on the interface itself:\n  {}", path,
                       name ? name : std::to_string(link_type),
                       is_any ? ": a capture on 'any' has no Ethernet headers, no VLANs, and everything twice" : "", how_to_capture);
}

bool is_sane(const timeval& time) {
    constexpr std::int64_t nanoseconds_in_a_second = 1'000'000'000;
    return time.tv_sec >= 0 && time.tv_sec < max_seconds && time.tv_usec >= 0 && time.tv_usec < nanoseconds_in_a_second;
}

}  // namespace

tl::expected<Capture, std::string> read_capture(const std::string& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) return tl::unexpected(path + ": is a directory, not a capture");
    std::array<char, PCAP_ERRBUF_SIZE> error{};
    const std::unique_ptr<pcap_t, decltype(&pcap_close)> file(
        pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error.data()), &pcap_close);
    if (!file) {
        const std::string reason(error.data());  // libpcap names the file in some messages and not in others
        return tl::unexpected(reason.starts_with(path) ? reason : fmt::format("{}: no capture that can be read: {}", path, reason));
    }
    if (pcap_datalink(file.get()) != DLT_EN10MB) return tl::unexpected(link_type_refused(path, pcap_datalink(file.get())));

    Capture capture;
    pcap_pkthdr* header = nullptr;
    const std::uint8_t* bytes = nullptr;
    int result = 0;
    while ((result = pcap_next_ex(file.get(), &header, &bytes)) == 1) {
        if (!is_sane(header->ts)) {
            capture.complaint = fmt::format("{}: frame {} has an impossible time; what follows is left out", path, capture.frames.size() + 1);
            break;
        }
        const Instant at{header->ts.tv_sec * std::int64_t{1'000'000'000} + header->ts.tv_usec};
        capture.frames.push_back({at, {bytes, bytes + header->caplen}, header->caplen < header->len});
    }
    if (result == PCAP_ERROR) {
        capture.complaint = fmt::format("{}: after {} frames: {}; what follows is left out", path, capture.frames.size(), pcap_geterr(file.get()));
    }
    if (capture.frames.empty()) {
        return tl::unexpected(capture.complaint.empty() ? fmt::format("{}: the capture has no frames", path) : capture.complaint);
    }
    std::ranges::stable_sort(capture.frames, {}, &CapturedFrame::at);
    return capture;
}

}  // namespace vigil::cli
