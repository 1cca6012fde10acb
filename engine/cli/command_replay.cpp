#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "config/load.h"
#include "engine/cli/capture_replay.h"
#include "engine/cli/command.h"
#include "engine/daemon/plan.h"

namespace vigil::cli {
namespace {

struct Options {
    std::string capture;
    std::string config;
    std::string address;
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
        for (const IpAddress& own : {address.value_or(ipv4(0, 0, 0, 1)), *read_address("fe80::1")}) {
            arp::kernel::AddressState state;
            state.key = {link.index, own, static_cast<std::uint8_t>(own.family == Family::ipv4 ? 24 : 64), std::nullopt};
            facts.addresses.push_back(state);
        }
    }
    facts.find_route = [](const IpAddress&) { return arp::kernel::RouteAnswer{.interface_index = 1}; };
    facts.forwards_ipv6 = [](const std::string&) { return false; };
    return facts;
}

tl::expected<engine::EngineSpec, std::string> spec_of(const Options& options, const std::optional<IpAddress>& address,
                                                      std::span<const CapturedFrame> capture) {
    if (options.config.empty()) {
        engine::EngineSpec spec = observers_of(capture);
        if (spec.routers.empty()) return tl::unexpected(std::string("no VRRP advert in the capture; give the configuration with --config"));
        return spec;
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
    const auto spec = spec_of(options, address, *capture);
    if (!spec) return fail(spec.error());
    const ReplayOptions replay_options{address, Nanoseconds{static_cast<std::int64_t>(options.afterwards * 1e9)}};
    const auto transcript = replay_capture(*capture, *spec, replay_options);
    if (!transcript) return fail(transcript.error());
    fmt::print("{}", *transcript);
    return 0;
}

}  // namespace

void add_replay(CLI::App& app, Run& run) {
    CLI::App* command = app.add_subcommand(
        "replay", "Play a capture to the engine in virtual time and print what it heard and what it would have done, with the reasons");
    auto options = std::make_shared<Options>();
    command->add_option("capture", options->capture, "pcap or pcapng file of an Ethernet interface")->required();
    command->add_option("-f,--config", options->config, "keepalived.conf of the router in whose place to listen; without it every VRID is watched");
    command->add_option("-a,--address", options->address, "address of that router; what it sent itself is not played back to it");
    command->add_option("--afterwards", options->afterwards, "seconds of silence behind the last frame")->check(CLI::Range(0.0, 100'000.0));
    command->callback([options, &run] { run = [options] { return replay(*options); }; });
}

}  // namespace vigil::cli
