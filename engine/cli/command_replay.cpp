#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "config/load.h"
#include "engine/cli/capture_replay.h"
#include "engine/cli/command.h"
#include "engine/cli/observers.h"
#include "engine/daemon/plan.h"

namespace vigil::cli {
namespace {

struct Options {
    std::string capture;
    std::string config;
    std::string address;
    std::string interface;
    double afterwards = 0;
};

/// Facts of a host that has every interface the configuration names, up, with the address given.
daemon::KernelFacts pretend(const config::Configuration& configuration, const std::optional<IpAddress>& address) {
    daemon::KernelFacts facts;
    std::vector<std::string> names;
    for (const config::VrrpInstance& instance : configuration.instances) {
        const std::string name(instance.interface.empty() ? "lan" : instance.interface);
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        arp::kernel::LinkState link;
        link.index = static_cast<std::uint32_t>(i + 1);
        link.name = names[i];
        link.mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(i + 1)}};
        link.is_up = link.is_running = link.is_multicast_capable = true;
        link.mtu = 1500;
        facts.links.push_back(link);
        for (const IpAddress& own : {address.value_or(ipv4(0, 0, 0, 1)), *read_address("fe80::")}) {
            arp::kernel::AddressState state;
            state.key = {link.index, own, static_cast<std::uint8_t>(own.family == Family::ipv4 ? 24 : 64), std::nullopt};
            facts.addresses.push_back(state);
        }
    }
    facts.find_route = [](const IpAddress&, std::string_view) { return arp::kernel::RouteAnswer{.interface_index = 1}; };
    facts.forwards_ipv6 = [](const std::string&) { return false; };
    return facts;
}

tl::expected<engine::EngineSpec, std::string> spec_of(const Options& options, const std::optional<IpAddress>& address,
                                                      std::span<const CapturedFrame> capture) {
    if (options.config.empty()) {
        engine::EngineSpec spec = observers_of(capture);
        if (!spec.routers.empty()) return spec;
        return tl::unexpected(fmt::format("{}: no VRRP advert among its {} frames that could be watched (adverts with AH need the configuration with the "
                                          "password: --config)", options.capture, capture.size()));
    }
    config::LoadOptions load_options;
    load_options.path = options.config;
    const config::LoadResult loaded = config::load(load_options);
    for (const config::Diagnostic& diagnostic : loaded.diagnostics.all()) {
        if (diagnostic.severity == config::Severity::error) fmt::print(stderr, "{}", to_text(diagnostic, loaded.configuration));
    }
    if (loaded.configuration.instances.empty()) return tl::unexpected(options.config + ": no usable vrrp_instance");
    daemon::Plan plan = daemon::make_plan(loaded.configuration, pretend(loaded.configuration, address));
    for (const daemon::PlanProblem& problem : plan.problems) {
        fmt::print(stderr, "{}: {}\n", loaded.configuration.describe(problem.where), problem.text);
    }
    return std::move(plan.engine);
}

int fail(const std::string& text) {
    fmt::print(stderr, "vigil: {}\n", text);
    return 1;
}

int replay(const Options& options) {
    std::optional<IpAddress> address;
    if (!options.address.empty()) {
        address = read_address(options.address);
        if (!address) return fail(options.address + " is no IPv4 or IPv6 address");
    }
    const auto capture = read_capture(options.capture);
    if (!capture) return fail(capture.error());
    const auto spec = spec_of(options, address, capture->frames);
    if (!spec) return fail(spec.error());
    if (!options.interface.empty() && !std::ranges::count(spec->links, options.interface, &engine::LinkSpec::name)) {
        return fail(fmt::format("no virtual router is on interface {}", options.interface));
    }
    const ReplayOptions replay_options{address, Nanoseconds{static_cast<std::int64_t>(options.afterwards * 1e9)}, options.interface};
    const auto transcript = replay_capture(capture->frames, *spec, replay_options);
    if (!transcript) return fail(transcript.error());
    fmt::print("{}", *transcript);
    if (!capture->complaint.empty()) fmt::print(stderr, "vigil: {}\n", capture->complaint);
    return 0;
}

constexpr const char* explanation = R"text(Each line is a time in seconds since the first frame, who, what, and why. "(12 more until here, at most 1.004 s
apart)" stands for a run of equal lines, and tells the longest silence in it. A summary follows.

Who stopped hearing whom, and when:           vigil replay incident.pcap
What should router 192.0.2.2 have done:       vigil replay incident.pcap -f keepalived.conf -a 192.0.2.2
Would a third router have taken over then:    vigil replay incident.pcap -f third.conf -a 192.0.2.3 --afterwards 5

Make captures with: tcpdump -i INTERFACE -w FILE 'ip proto 112 or ip proto 51 or ip6 proto 112 or arp or icmp6'
on the interface itself, not on 'any'. Of a VLAN trunk, "eth0.5" of the configuration hears what is tagged for VLAN 5
(then the filter has to be: 'vlan and (...)').
Exit codes: 0 replayed, 1 nothing could be replayed (the reason is on standard error).
)text";

}  // namespace

void add_replay(CLI::App& app, Run& run) {
    CLI::App* command = app.add_subcommand(
        "replay", "Play a capture to the engine in virtual time and print what it heard and what it would have done, with the reasons");
    auto options = std::make_shared<Options>();
    command->add_option("capture", options->capture, "pcap or pcapng file of an Ethernet interface")->required();
    command->add_option("-f,--config", options->config, "keepalived.conf of the router in whose place to listen; without it every VRID is watched");
    command->add_option("-a,--address", options->address, "address of that router; what it sent itself is not played back to it");
    command->add_option("-i,--interface", options->interface, "interface of the configuration that the capture was made on, when it has several");
    command->add_option("--afterwards", options->afterwards, "seconds of silence behind the last frame")->check(CLI::Range(0.0, 100'000.0));
    command->footer(explanation);
    command->callback([options, &run] { run = [options] { return replay(*options); }; });
}

}  // namespace vigil::cli
