/// What 37,205 real servers have in common, once. A value is found again by a key of its octets: every member that is part of a comparison is written
/// into it, one after the other, texts by the address of their only copy (TextPool::intern). That is some hundred octets for a real server and
/// leaves no member out unseen: the tests read a dump back and compare the models.

#include "config/server_pool.h"

#include <type_traits>

namespace vigil::config {

namespace {

class Key {
public:
    template <typename T>
        requires std::is_arithmetic_v<T> || std::is_enum_v<T>
    void add(T value) {
        text_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void add(std::string_view text) {
        add(text.size());
        if (!text.empty()) add(reinterpret_cast<std::uintptr_t>(text.data()));
    }
    void add(Nanoseconds time) { add(time.count()); }
    void add(const IpAddress& address) {
        text_.append(reinterpret_cast<const char*>(address.octets.data()), address.octets.size());
        add(address.family);
    }
    template <typename T>
    void add(const std::optional<T>& value) {
        add(value.has_value());
        if (value) add(*value);
    }
    template <typename T>
    void add(const std::vector<T>& values) {
        add(values.size());
        for (const T& value : values) add(value);
    }
    void add(const std::array<std::uint8_t, 16>& octets) { text_.append(reinterpret_cast<const char*>(octets.data()), octets.size()); }
    template <typename... T>
    void add_all(const T&... values) {
        (add(values), ...);
    }

    void add(const NotifyScript& script) { add_all(script.command, script.user, script.group, script.event); }
    void add(const Forwarding& one) { add_all(one.method, one.tunnel, one.checksum, one.gue_port); }
    void add(const RealServerSettings& one) {
        add_all(one.forwarding, one.upper_threshold, one.lower_threshold, one.inhibit_on_failure, one.alpha, one.smtp_alert, one.notify_up, one.notify_down);
    }
    void add(const CheckConnection& one) {
        add_all(one.connect_ip, one.connect_port, one.bind_address, one.bind_port, one.bind_interface, one.connect_timeout, one.mark);
    }
    void add(const CheckSchedule& one) {
        add_all(one.retry, one.delay_before_retry, one.warmup, one.delay_loop, one.alpha, one.log_all_failures);
    }
    void add(const StatusRange& range) { add_all(range.first, range.last); }
    void add(const RegexSettings& one) {
        add_all(one.pattern, one.options, one.must_not_match, one.min_offset, one.max_offset, one.stack_start, one.stack_max);
    }
    void add(const HttpUrl& url) { add_all(url.path, url.digest, url.status_codes, url.virtualhost, url.regex, url.tls_compliant); }
    void add(const TcpCheck&) {}
    void add(const PingCheck&) {}
    void add(const HttpCheck& one) {
        add_all(one.tls, one.version, one.enable_sni, one.sni_name, one.verifies_peer, one.fast_recovery, one.urls);
    }
    void add(const SmtpCheck& one) { add(one.helo_name); }
    void add(const DnsCheck& one) { add_all(one.type, one.name); }
    void add(const UdpCheck& one) {
        add_all(one.payload, one.require_reply, one.reply, one.reply_mask, one.min_reply_length, one.max_reply_length);
    }
    void add(const MiscCheck& one) { add_all(one.script, one.timeout, one.is_dynamic); }
    void add(const FileCheck& one) { add_all(one.track_file, one.weight, one.weight_reverse); }
    void add(const BfdCheck& one) { add(one.name); }
    void add(const Checker& one) {
        add_all(one.connection, one.schedule, one.check.index());
        std::visit([this](const auto& check) { add(check); }, one.check);
    }

    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

template <typename T>
Shared<T> keep_in(std::unordered_map<std::string, std::shared_ptr<T>>& pool, T value) {
    Key key;
    key.add(value);
    auto [place, is_new] = pool.try_emplace(key.take());
    if (is_new) place->second = std::make_shared<T>(std::move(value));
    return Shared<T>(place->second);
}

}  // namespace

Shared<RealServerSettings> ServerPool::keep(RealServerSettings settings) { return keep_in(settings_, std::move(settings)); }

Shared<CheckerList> ServerPool::keep(CheckerList checkers) {
    checkers.shrink_to_fit();
    return keep_in(lists_, std::move(checkers));
}

}  // namespace vigil::config
