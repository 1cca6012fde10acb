/// [TYPE] DST and its option words, in iproute2's language as keepalived takes it: in any order, but for `nexthop`, which ends the line. What cannot be
/// understood drops the line, and so does what the kernel would refuse whatever the host looks like: it is told here, where the place is known.

#include <algorithm>
#include <array>

#include "config/object_line.h"

namespace vigil::config {

namespace {

constexpr std::size_t most_nexthops = 64;

constexpr std::array<std::pair<std::string_view, RouteType>, 9> route_types{{
    {"unicast", RouteType::unicast},
    {"local", RouteType::local},
    {"broadcast", RouteType::broadcast},
    {"anycast", RouteType::anycast},
    {"multicast", RouteType::multicast},
    {"blackhole", RouteType::blackhole},
    {"unreachable", RouteType::unreachable},
    {"prohibit", RouteType::prohibit},
    {"throw", RouteType::throw_away},
}};

struct MetricWord {
    std::string_view name;
    RouteMetric metric;
    std::uint32_t greatest;
    std::uint32_t time_factor = 0;   ///< the kernel counts so many to a millisecond; 0: it is no time
};

constexpr std::uint32_t any = 0xffff'ffff;
constexpr std::array<MetricWord, 14> metric_words{{
    {"mtu", RouteMetric::mtu, any},
    {"advmss", RouteMetric::advmss, any},
    {"rtt", RouteMetric::rtt, any, 8},
    {"rttvar", RouteMetric::rttvar, any, 4},
    {"rto_min", RouteMetric::rto_min, any, 1},
    {"reordering", RouteMetric::reordering, any},
    {"cwnd", RouteMetric::cwnd, any},
    {"ssthresh", RouteMetric::ssthresh, any},
    {"window", RouteMetric::window, any},
    {"initcwnd", RouteMetric::initcwnd, any},
    {"initrwnd", RouteMetric::initrwnd, any},
    {"hoplimit", RouteMetric::hoplimit, 255},
    {"quickack", RouteMetric::quickack, 1},
    {"fastopen_no_cookie", RouteMetric::fastopen_no_cookie, 1},
}};

bool has_host_bits(const Prefix& prefix) {
    for (unsigned bit = prefix.length; bit < prefix.address.size() * 8; ++bit) {
        if ((prefix.address.octets[bit / 8] & (0x80u >> (bit % 8))) != 0) return true;
    }
    return false;
}

Prefix without_host_bits(Prefix prefix) {
    for (unsigned bit = prefix.length; bit < prefix.address.size() * 8; ++bit) {
        std::uint8_t& octet = prefix.address.octets[bit / 8];
        octet = static_cast<std::uint8_t>(octet & ~(0x80u >> (bit % 8)));
    }
    return prefix;
}

class RouteLine : private ObjectLine {
public:
    RouteLine(Context& context, const Node& item, bool is_static) : ObjectLine(context, item, OptionLine::route, "route", is_static) {}

    std::optional<ConfiguredRoute> read() {
        route_.where = item_.where(0);
        while (!is_at_end()) {
            if (!read_word(take())) return std::nullopt;
        }
        if (!finish()) return std::nullopt;
        return std::move(route_);
    }

private:
    bool read_word(std::string_view word) {
        const OptionWord* option = find_option(OptionLine::route, word);
        if (option == nullptr) return read_destination(word);
        if (word == "to") {
            const auto first = value_of(word);
            return first && read_destination(*first);
        }
        if (const auto metric = std::ranges::find(metric_words, word, &MetricWord::name); metric != metric_words.end()) return read_metric(word, *metric, option->may_lock);
        if (word == "nexthop") {
            nexthop_word_ = word;
            return read_nexthop();
        }
        if (word == "via" || word == "gw") return read_via(word, route_.next);
        if (word == "or") return read_second_gateway(word);
        return read_where(word) && read_properties(word) && read_ipv6_property(word) && read_flag(word);
    }

    bool read_destination(std::string_view word) {
        if (const auto type = std::ranges::find(route_types, word, &std::pair<std::string_view, RouteType>::first); type != route_types.end()) {
            route_.type = type->second;
            type_word_ = word;
            const auto behind = value_of(word);
            return behind && read_destination(*behind);
        }
        if (word == "nat") return drop(word, "Linux has no routes that translate addresses since 2.6", "use nftables");
        if (word == "default6") {
            warn(word, "'default6' is deprecated", "write inet6 default");
            if (!claim_family(Family::ipv6, word)) return false;
            destination_ = PrefixWord{std::nullopt, word};
            return true;
        }
        const bool looks_like_prefix = word == "default" || word == "any" || word == "all" || read_address_with_prefix(word) || word.find('/') != std::string_view::npos;
        if (!looks_like_prefix) return drop_unknown(word);
        if (destination_) return drop(word, "a route has one destination, and " + in_quotes(destination_->word) + " stands there already");
        destination_ = read_prefix(word);
        return destination_.has_value();
    }

    /// Where the packets go, beside the gateway.
    bool read_where(std::string_view word) {
        if (word == "dev" || word == "oif") return set_device(word, route_.next.device);
        if (word == "src") {
            route_.preferred_source = address_of(word);
            return route_.preferred_source && claim_family(route_.preferred_source->family, item_.word(next_ - 1));
        }
        if (word == "table") return set_table(word, route_.table);
        if (word == "vrf") {
            vrf_word_ = word;
            return set_device(word, route_.vrf);
        }
        if (word == "encap") return read_encapsulation(route_.next.encapsulation);
        if (word == "as") {
            return drop(word, "'as' translates addresses, which Linux has not done in routes since 2.6", "use nftables");
        }
        return true;
    }

    bool read_properties(std::string_view word) {
        if (word == "metric" || word == "priority" || word == "preference") return (route_.metric = number_of(word, 0, any)).has_value();
        if (word == "scope") {
            scope_word_ = peek();
            return set_small(word, NameKind::scope, route_.scope);
        }
        if (word == "protocol") return read_protocol();
        if (word == "tos" || word == "dsfield") {
            tos_word_ = peek();
            const auto tos = name_of(word, NameKind::dsfield);
            if (tos) route_.tos = static_cast<std::uint8_t>(*tos);
            return tos.has_value();
        }
        if (word == "realms") {
            realms_word_ = word;
            const auto realms = realms_of(word);
            if (realms) route_.next.realms = *realms;
            return realms.has_value();
        }
        if (word == "features") {
            const auto feature = value_of(word);
            if (!feature) return false;
            if (*feature != "ecn") return drop(*feature, "the only feature is 'ecn'");
            return set_metric(word, {RouteMetric::features, 1, false});
        }
        if (word == "congctl") return read_congestion_control(word);
        return true;
    }

    bool read_ipv6_property(std::string_view word) {
        if (word == "from") {
            source_ = prefix_of(word);
            ipv6_word_ = word;
            return source_.has_value();
        }
        if (word == "expires") {
            ipv6_word_ = word;
            return (route_.expires = number_of(word, 1, any)).has_value();
        }
        if (word == "pref") return read_preference(word);
        if (word == "ttl-propagate") {
            const auto value = value_of(word);
            if (!value) return false;
            if (*value != "enabled" && *value != "disabled") return drop(*value, "'ttl-propagate' is enabled or disabled, not " + in_quotes(*value));
            warn(word, "'ttl-propagate' concerns MPLS routes only, and this is an IP route: it is not used", "leave it out");
        }
        return true;
    }

    bool read_flag(std::string_view word) {
        if (word == "inet") return claim_family(Family::ipv4, word);
        if (word == "inet6") return claim_family(Family::ipv6, word);
        if (word == "onlink") route_.next.is_onlink = true;
        else if (word == "add") route_.creation = RouteCreation::add;
        else if (word == "prepend") route_.creation = RouteCreation::prepend;
        else if (word == "append") route_.creation = RouteCreation::append;
        else if (word == "no_track") tracking_.no_track = true;
        else if (word == "track_group") return read_track_group();
        return true;
    }

    bool set_small(std::string_view word, NameKind kind, std::optional<std::uint8_t>& target) {
        const auto number = name_of(word, kind);
        if (number) target = static_cast<std::uint8_t>(*number);
        return number.has_value();
    }

    bool set_metric(std::string_view word, MetricValue value) {
        const auto same = std::ranges::find(route_.metrics, value.metric, &MetricValue::metric);
        if (same != route_.metrics.end()) return drop(word, in_quotes(word) + " is given twice");
        route_.metrics.push_back(value);
        return true;
    }

    bool read_metric(std::string_view word, const MetricWord& metric, bool may_lock) {
        const bool is_locked = may_lock && take_if("lock");
        const auto value = metric.time_factor == 0 ? number_of(word, 0, metric.greatest) : read_time(word, metric);
        return value && set_metric(word, {metric.metric, *value, is_locked});
    }

    /// A plain number is in the kernel's unit; with s or ms behind it, it is a time.
    std::optional<std::uint32_t> read_time(std::string_view word, const MetricWord& metric) {
        const auto text = value_of(word);
        if (!text) return std::nullopt;
        const bool is_milliseconds = text->ends_with("ms") || text->ends_with("msec") || text->ends_with("msecs");
        const bool is_seconds = !is_milliseconds && (text->ends_with("s") || text->ends_with("sec") || text->ends_with("secs"));
        const std::string_view digits = text->substr(0, text->find_first_not_of("0123456789."));
        const auto number = read_seconds(digits);   // in millionths of whatever the unit is
        const std::string_view unit = text->substr(digits.size());
        constexpr std::array<std::string_view, 7> units = {"", "s", "sec", "secs", "ms", "msec", "msecs"};
        if (number && !number->has_trailing && std::ranges::find(units, unit) != units.end()) {
            const std::int64_t factor = is_seconds ? 1000 * metric.time_factor : is_milliseconds ? metric.time_factor : 1;
            const std::int64_t value = (number->value * factor + 500'000) / 1'000'000;
            if (value <= any) return static_cast<std::uint32_t>(value);
        }
        drop(*text, in_quotes(word) + " expects a number, or a time like 300ms or 0.3s, not " + in_quotes(*text));
        return std::nullopt;
    }

    bool read_congestion_control(std::string_view word) {
        route_.is_congestion_control_locked = take_if("lock");
        const auto name = value_of(word);
        if (!name) return false;
        if (name->size() > 15) return drop(*name, in_quotes(*name) + " is no congestion control", "the names that this host knows are in net.ipv4.tcp_available_congestion_control");
        route_.congestion_control = context_.texts.intern(*name);
        return true;
    }

    bool read_preference(std::string_view word) {
        ipv6_word_ = word;
        const auto value = value_of(word);
        if (!value) return false;
        const auto number = read_based_number(*value);
        if (*value == "medium" || number == 0) route_.preference = std::uint8_t{0};
        else if (*value == "high" || number == 1) route_.preference = std::uint8_t{1};
        else if (*value == "low" || number == 3) route_.preference = std::uint8_t{3};
        else return drop(*value, "'pref' is low, medium or high, not " + in_quotes(*value));
        return true;
    }

    bool read_via(std::string_view word, RouteNexthop& nexthop) {
        if (word == "gw") warn(word, "'gw' is deprecated", "use via");
        if (nexthop.gateway) return drop(word, "a second gateway needs a 'nexthop' of its own", "nexthop via A nexthop via B");
        std::optional<Family> wanted;
        if (take_if("inet6")) wanted = Family::ipv6;
        else if (take_if("inet")) wanted = Family::ipv4;
        nexthop.gateway = address_of(word);
        if (!nexthop.gateway) return false;
        const std::string_view written = item_.word(next_ - 1);
        if (wanted && *wanted != nexthop.gateway->family) return drop(written, in_quotes(written) + " is of another family than it says before it");
        return wanted || claim_family(nexthop.gateway->family, written);
    }

    /// `via A or B`: both, as if they were nexthops.
    bool read_second_gateway(std::string_view word) {
        or_word_ = word;
        warn(word, "'or' is deprecated", "use nexthop via A nexthop via B");
        RouteNexthop second;
        if (!read_via(word, second)) return false;
        second_ = second;
        return true;
    }

    bool read_nexthop() {
        while (true) {
            RouteNexthop& nexthop = route_.nexthops.emplace_back();
            if (route_.nexthops.size() > most_nexthops) return drop(nexthop_word_, "a route has at most " + std::to_string(most_nexthops) + " nexthops");
            while (!is_at_end() && peek() != "nexthop") {
                if (!read_nexthop_word(take(), nexthop)) return false;
            }
            if (!nexthop.gateway && nexthop.device.empty()) return drop(nexthop_word_, "a nexthop needs 'via' or 'dev'");
            if (is_at_end()) return true;
            take();
        }
    }

    bool read_nexthop_word(std::string_view word, RouteNexthop& nexthop) {
        if (word == "via" || word == "gw") return read_via(word, nexthop);
        if (word == "dev" || word == "oif") return set_device(word, nexthop.device);
        if (word == "encap") return read_encapsulation(nexthop.encapsulation);
        if (word == "onlink") {
            nexthop.is_onlink = true;
            return true;
        }
        if (word == "weight") {
            const auto weight = number_of(word, 1, 256);
            if (weight) nexthop.weight = static_cast<std::uint16_t>(*weight);
            return weight.has_value();
        }
        if (word == "realms") {
            realms_word_ = word;
            const auto realms = realms_of(word);
            if (realms) nexthop.realms = *realms;
            return realms.has_value();
        }
        const bool belongs_before = find_option(OptionLine::route, word) != nullptr;
        return drop(word, "unknown word " + in_quotes(word) + " in a nexthop", belongs_before ? "write it before the first 'nexthop'" : suggest_option(line_, word));
    }

    // What needs the whole line.

    bool finish() {
        if (!destination_) return drop(item_.word(0), "it has no destination", "write ADDRESS/PREFIX or default");
        route_.destination = settle(*destination_);
        if (source_) route_.source = settle(*source_);
        if (!finish_prefixes() || !finish_family() || !finish_ways()) return false;
        settle_tracking();
        route_.protocol = tracking_.protocol;
        route_.no_track = tracking_.no_track;
        route_.track_group = tracking_.track_group;
        if (!route_.vrf.empty() && route_.table != 0) return drop(vrf_word_, "'vrf' and 'table' say the same thing twice", "leave one out");
        return true;
    }

    bool finish_prefixes() {
        if (!has_host_bits(route_.destination)) return true;
        const std::string meant = to_string(without_host_bits(route_.destination).address) + '/' + std::to_string(route_.destination.length);
        const std::string_view word = destination_->word;
        if (family() == Family::ipv4) return drop(word, in_quotes(word) + " has bits behind its prefix, which the kernel refuses", "write " + meant);
        warn(word, in_quotes(word) + " has bits behind its prefix: it is taken as " + meant, "write " + meant);
        route_.destination = without_host_bits(route_.destination);
        return true;
    }

    bool finish_family() {
        const bool is_ipv6 = family() == Family::ipv6;
        if (!is_ipv6 && !ipv6_word_.empty()) return drop(ipv6_word_, in_quotes(ipv6_word_) + " is of IPv6 routes only");
        if (is_ipv6 && !realms_word_.empty()) return drop(realms_word_, "IPv6 routes have no realms");
        if (is_ipv6 && route_.tos != 0) return drop(tos_word_, "IPv6 routes have no tos", "use a rule with tos");
        if (is_ipv6 && route_.scope) {
            warn(scope_word_, "IPv6 routes have no scope: it is not used", "leave it out");
            route_.scope.reset();
        }
        if ((route_.tos & 0x03) != 0) return drop(tos_word_, "the two lowest bits of tos are ECN's, which the kernel refuses");
        return true;
    }

    bool finish_ways() {
        if (second_ && !finish_second_gateway()) return false;
        const bool is_ipv4 = family() == Family::ipv4;
        const bool takes_no_way = route_.type >= RouteType::blackhole;
        const bool has_gateway = route_.next.gateway || !route_.nexthops.empty();
        if (takes_no_way && (has_gateway || (is_ipv4 && !route_.next.device.empty()))) {
            return drop(type_word_, "a route of type " + in_quotes(type_word_) + " leads nowhere: it has no gateway and no device");
        }
        if (!takes_no_way && !has_gateway && route_.next.device.empty()) {
            return drop(item_.word(0), "it leads nowhere", "write via GATEWAY, dev INTERFACE, or nexthop");
        }
        const bool has_both = !route_.nexthops.empty() && (route_.next.gateway || !route_.next.device.empty() || route_.next.encapsulation.kind != EncapsulationKind::none);
        if (has_both) return drop(nexthop_word_, "with 'nexthop', gateway, device and encapsulation belong behind it");
        return true;
    }

    bool finish_second_gateway() {
        if (!route_.next.gateway || !route_.nexthops.empty()) return drop(or_word_, "'or' goes with one 'via' before it");
        second_->device = route_.next.device;
        second_->is_onlink = route_.next.is_onlink;
        route_.nexthops = {route_.next, *second_};
        route_.next = {};
        return true;
    }

    ConfiguredRoute route_;
    std::optional<PrefixWord> destination_;
    std::optional<PrefixWord> source_;
    std::optional<RouteNexthop> second_;
    std::string_view type_word_;
    std::string_view nexthop_word_;
    std::string_view vrf_word_;
    std::string_view or_word_;
    std::string_view scope_word_;
    std::string_view tos_word_;
    std::string_view realms_word_;
    std::string_view ipv6_word_;   ///< one that only IPv6 routes may have
};

}  // namespace

std::optional<ConfiguredRoute> read_route_line(Context& context, const Node& item, bool is_static) { return RouteLine(context, item, is_static).read(); }

}  // namespace vigil::config
