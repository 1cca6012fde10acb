// One checker of the configuration as the checkers know it.

#include <utility>

#include "engine/daemon/lvs_plan.h"
#include "ipvs/checkers/regex.h"

namespace vigil::daemon {
namespace {

checkers::RegexSpec regex_spec(const config::RegexSettings& from) {
    checkers::RegexSpec spec;
    spec.pattern = from.pattern;
    for (unsigned i = 0; i < static_cast<unsigned>(config::RegexOption::count); ++i) {
        const auto option = static_cast<config::RegexOption>(i);
        if (from.has(option)) checkers::add_regex_option(spec, config::name_of(option));   // one that this PCRE2 lacks changes nothing
    }
    spec.min_offset = from.min_offset;
    if (from.max_offset) spec.max_offset = *from.max_offset;
    spec.must_not_match = from.must_not_match;
    return spec;
}

checkers::HttpProtocol protocol_of(config::HttpVersion version) {
    switch (version) {
    case config::HttpVersion::http_1_0: return checkers::HttpProtocol::http_1_0;
    case config::HttpVersion::http_1_0_close: return checkers::HttpProtocol::http_1_0_close;
    case config::HttpVersion::http_1_1: return checkers::HttpProtocol::http_1_1;
    case config::HttpVersion::http_2: return checkers::HttpProtocol::http_2;
    }
    return checkers::HttpProtocol::http_1_0;
}

/// `tls` is for HTTP only.
struct Translation {
    const config::TlsClientSettings& tls;

    checkers::Method operator()(const config::TcpCheck&) const { return checkers::TcpSpec{}; }
    checkers::Method operator()(const config::PingCheck&) const { return checkers::PingSpec{}; }
    checkers::Method operator()(const config::SmtpCheck& from) const { return checkers::SmtpSpec{std::string(from.helo_name)}; }
    checkers::Method operator()(const config::DnsCheck& from) const {
        return checkers::DnsSpec{static_cast<std::uint16_t>(from.type), std::string(from.name)};
    }

    checkers::Method operator()(const config::HttpCheck& from) const {
        checkers::HttpSpec spec;
        spec.protocol = protocol_of(from.version);
        if (from.tls) {
            spec.tls = checkers::TlsSpec{.send_name = from.enable_sni, .name = std::string(from.sni_name), .verify = from.verifies_peer,
                                         .ca_file = std::string(tls.ca), .certificate_file = std::string(tls.certificate),
                                         .key_file = std::string(tls.key), .key_password = std::string(tls.password)};
        }
        for (const config::HttpUrl& url : from.urls) {
            checkers::UrlSpec one{.path = std::string(url.path), .virtual_host = std::string(url.virtualhost), .digest = url.digest, .tls_compliant = url.tls_compliant};
            for (const config::StatusRange& range : url.status_codes) one.status.push_back({range.first, range.last});
            if (url.regex) one.regex = regex_spec(*url.regex);
            spec.urls.push_back(std::move(one));
        }
        return spec;
    }

    checkers::Method operator()(const config::UdpCheck& from) const {
        checkers::UdpSpec spec{.payload = from.payload, .require_reply = from.require_reply, .min_reply_length = from.min_reply_length,
                               .max_reply_length = from.max_reply_length};
        for (std::size_t i = 0; i < from.reply.size(); ++i) {
            spec.reply.push_back({static_cast<std::uint8_t>(from.reply[i] & from.reply_mask[i]), from.reply_mask[i]});
        }
        return spec;
    }

    checkers::Method operator()(const config::MiscCheck& from) const {
        return checkers::MiscSpec{.arguments = config::split_command(from.script.command), .user = std::string(from.script.user),
                                  .group = std::string(from.script.group), .timeout = from.timeout, .dynamic = from.is_dynamic};
    }

    // Not made by the checkers: the plan has kinds of their own for them.
    checkers::Method operator()(const config::FileCheck& from) const { return checkers::ExternalSpec{std::string(from.track_file)}; }
    checkers::Method operator()(const config::BfdCheck& from) const { return checkers::ExternalSpec{std::string(from.name)}; }
};

}  // namespace

checkers::CheckSpec make_check_spec(const config::RealServer& server, const config::Checker& checker, const config::TlsClientSettings& tls) {
    checkers::CheckSpec spec;
    const config::CheckTarget target = config::target_of(server, checker);
    const config::CheckConnection& connection = checker.connection;
    const config::CheckSchedule& schedule = checker.schedule;
    const bool is_connected = !std::holds_alternative<config::MiscCheck>(checker.check);
    if (is_connected) {
        spec.common.address = target.address;
        spec.common.port = target.port;
        spec.common.bind_address = connection.bind_address;
        spec.common.bind_port = connection.bind_port;
        spec.common.bind_interface = connection.bind_interface;
        spec.common.mark = connection.mark;
        spec.common.connect_timeout = connection.connect_timeout;
    }
    spec.common.retry = schedule.retry;
    spec.common.delay_before_retry = schedule.delay_before_retry;
    spec.common.delay_loop = schedule.delay_loop;
    spec.common.warmup = schedule.warmup;
    spec.common.alpha = schedule.alpha;
    spec.common.log_all_failures = schedule.log_all_failures.value_or(false);
    spec.method = std::visit(Translation{tls}, checker.check);
    return spec;
}

}  // namespace vigil::daemon
