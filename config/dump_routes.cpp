/// Routes and rules as lines that can be put into a file again. Names of tables are numbers by now, and what follows from something else is left out.

#include <array>

#include "config/route_model.h"

namespace vigil::config {

namespace {

std::string text_of(const Prefix& prefix) { return to_string(prefix.address) + '/' + std::to_string(prefix.length); }

std::string_view name_of(RouteType type) {
    switch (type) {
        case RouteType::unicast: return "";
        case RouteType::local: return "local ";
        case RouteType::broadcast: return "broadcast ";
        case RouteType::anycast: return "anycast ";
        case RouteType::multicast: return "multicast ";
        case RouteType::blackhole: return "blackhole ";
        case RouteType::unreachable: return "unreachable ";
        case RouteType::prohibit: return "prohibit ";
        case RouteType::throw_away: return "throw ";
    }
    return "";
}

std::string_view name_of(RouteMetric metric) {
    switch (metric) {
        case RouteMetric::mtu: return "mtu";
        case RouteMetric::window: return "window";
        case RouteMetric::rtt: return "rtt";
        case RouteMetric::rttvar: return "rttvar";
        case RouteMetric::ssthresh: return "ssthresh";
        case RouteMetric::cwnd: return "cwnd";
        case RouteMetric::advmss: return "advmss";
        case RouteMetric::reordering: return "reordering";
        case RouteMetric::hoplimit: return "hoplimit";
        case RouteMetric::initcwnd: return "initcwnd";
        case RouteMetric::features: return "features";
        case RouteMetric::rto_min: return "rto_min";
        case RouteMetric::initrwnd: return "initrwnd";
        case RouteMetric::quickack: return "quickack";
        case RouteMetric::congctl: return "congctl";
        case RouteMetric::fastopen_no_cookie: return "fastopen_no_cookie";
    }
    return "";
}

class LineWriter {
public:
    explicit LineWriter(std::string begin) : out_(std::move(begin)) {}

    void word(std::string_view name) { (out_ += ' ') += name; }
    void word_if(std::string_view name, bool is_set) {
        if (is_set) word(name);
    }
    void text(std::string_view name, std::string_view value) {
        if (value.empty()) return;
        word(name);
        word(value);
    }
    template <typename Number>
    void number(std::string_view name, const std::optional<Number>& value) {
        if (value) text(name, std::to_string(*value));
    }
    void number_if(std::string_view name, std::uint64_t value) {
        if (value != 0) text(name, std::to_string(value));
    }
    void range(std::string_view name, const std::optional<NumberRange>& value) {
        if (value) text(name, std::to_string(value->first) + '-' + std::to_string(value->last));
    }
    void realms(std::uint32_t realms) {
        if (realms != 0) text("realms", (realms >> 16 == 0 ? "" : std::to_string(realms >> 16) + '/') + std::to_string(realms & 0xffff));
    }
    void encapsulation(const Encapsulation& encapsulation);
    void nexthop(const RouteNexthop& nexthop, Family family);
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

std::string locator_text(std::uint64_t locator) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (int shift = 60; shift >= 0; shift -= 4) {
        text += digits[locator >> shift & 15];
        if (shift % 16 == 0 && shift != 0) text += ':';
    }
    return text;
}

void LineWriter::encapsulation(const Encapsulation& encapsulation) {
    switch (encapsulation.kind) {
        case EncapsulationKind::none: return;
        case EncapsulationKind::ila: return text("encap ila", locator_text(encapsulation.id));
        case EncapsulationKind::mpls: {
            std::string labels;
            for (const std::uint32_t label : encapsulation.labels) labels += (labels.empty() ? "" : "/") + std::to_string(label);
            text("encap mpls", labels);
            return number("ttl", encapsulation.ttl);
        }
        case EncapsulationKind::ip:
        case EncapsulationKind::ip6: break;
    }
    const bool is_ip = encapsulation.kind == EncapsulationKind::ip;
    word(is_ip ? "encap ip" : "encap ip6");
    number_if("id", encapsulation.id);
    text("dst", to_string(*encapsulation.destination));
    if (encapsulation.source) text("src", to_string(*encapsulation.source));
    number(is_ip ? "tos" : "tc", encapsulation.tos);
    number(is_ip ? "ttl" : "hoplimit", encapsulation.ttl);
    number_if("flags", encapsulation.flags);
}

void LineWriter::nexthop(const RouteNexthop& nexthop, Family family) {
    if (nexthop.gateway) {
        const std::string_view other = nexthop.gateway->family == family ? "" : family == Family::ipv4 ? "inet6 " : "inet ";
        text("via", std::string(other) + to_string(*nexthop.gateway));
    }
    text("dev", nexthop.device);
    word_if("onlink", nexthop.is_onlink);
    realms(nexthop.realms);
    encapsulation(nexthop.encapsulation);
}

bool is_everything(const Prefix& prefix) { return prefix.length == 0; }

}  // namespace

std::string to_string(const ConfiguredRoute& route) {
    const Family family = route.family();
    std::string begin = is_everything(route.destination) && family == Family::ipv6 ? "inet6 " : "";
    begin += name_of(route.type);
    begin += is_everything(route.destination) ? "default" : text_of(route.destination);
    LineWriter line(std::move(begin));
    if (route.source) line.text("from", is_everything(*route.source) ? "default" : text_of(*route.source));
    if (route.preferred_source) line.text("src", to_string(*route.preferred_source));
    line.nexthop(route.next, family);
    line.number_if("table", route.table);
    line.text("vrf", route.vrf);
    line.number("metric", route.metric);
    line.number("scope", route.scope);
    line.number("protocol", route.protocol);
    line.number_if("tos", route.tos);
    line.number("pref", route.preference);
    line.number("expires", route.expires);
    for (const MetricValue& metric : route.metrics) {
        const bool is_features = metric.metric == RouteMetric::features;
        line.text(name_of(metric.metric), (metric.is_locked ? "lock " : "") + (is_features ? "ecn" : std::to_string(metric.value)));
    }
    line.text(route.is_congestion_control_locked ? "congctl lock" : "congctl", route.congestion_control);
    line.word_if("append", route.creation == RouteCreation::append);
    line.word_if("add", route.creation == RouteCreation::add);
    line.word_if("no_track", route.no_track);
    line.text("track_group", route.track_group);
    for (const RouteNexthop& nexthop : route.nexthops) {
        line.word("nexthop");
        line.nexthop(nexthop, family);
        line.number_if("weight", nexthop.weight == 1 ? 0 : nexthop.weight);
    }
    return line.take();
}

std::string to_string(const ConfiguredRule& rule) {
    LineWriter line(rule.family == Family::ipv4 ? "inet" : "inet6");
    line.word_if("not", rule.is_inverted);
    if (rule.from) line.text("from", text_of(*rule.from));
    if (rule.to) line.text("to", text_of(*rule.to));
    line.text("iif", rule.input_device);
    line.text("oif", rule.output_device);
    line.number_if("tos", rule.tos);
    if (rule.mark) line.text("fwmark", std::to_string(*rule.mark) + (rule.mark_mask ? '/' + std::to_string(*rule.mark_mask) : ""));
    line.range("uidrange", rule.user_ids);
    line.number("ipproto", rule.ip_protocol);
    line.range("sport", rule.source_ports);
    line.range("dport", rule.destination_ports);
    line.number("tunnel-id", rule.tunnel_id);
    line.text("priority", std::to_string(rule.priority));
    line.number("suppress_prefixlength", rule.suppressed_prefix_length);
    line.number("suppress_ifgroup", rule.suppressed_group);
    line.realms(rule.realms);
    line.number("protocol", rule.protocol);
    line.word_if("no_track", rule.no_track);
    line.text("track_group", rule.track_group);
    switch (rule.action) {
        case RuleAction::none: break;
        case RuleAction::lookup:
            if (rule.is_l3mdev) line.word("l3mdev");
            else line.number_if("lookup", rule.table);
            break;
        case RuleAction::go_to: line.text("goto", std::to_string(rule.go_to)); break;
        case RuleAction::nop: line.word("nop"); break;
        case RuleAction::blackhole: line.word("blackhole"); break;
        case RuleAction::unreachable: line.word("unreachable"); break;
        case RuleAction::prohibit: line.word("prohibit"); break;
    }
    if (rule.is_l3mdev && rule.action != RuleAction::lookup) line.word("l3mdev");
    return line.take();
}

}  // namespace vigil::config
