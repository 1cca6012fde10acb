/// bfd_instance: from its block to the model. A session runs whether somebody tracks it or not, because the neighbor may.
///
/// keepalived sends IPv6 packets with a Hop Limit of 64 by default, which nobody who obeys RFC 5881 §5 takes: here it is 255 for both families.

#include "config/interpreter.h"
#include "config/values.h"

namespace vigil::config {

namespace {

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

/// The words were checked by the caller.
void read_keyword(BfdInstance& bfd, const Node& node) {
    const std::string_view name = node.statement().keyword->name;
    const auto count = [&] { return read_number(node.word(1))->value; };
    const auto time = [&] { return Nanoseconds{std::chrono::microseconds{read_milliseconds(node.word(1))->value}}; };
    if (name == "neighbor_ip" || name == "neighbour_ip") bfd.neighbor = *read_address(node.word(1));
    else if (name == "source_ip") bfd.source = read_address(node.word(1));
    else if (name == "min_rx") bfd.min_rx = time();
    else if (name == "min_tx") bfd.min_tx = time();
    else if (name == "idle_tx") bfd.idle_tx = time();
    else if (name == "multiplier") bfd.multiplier = static_cast<std::uint8_t>(count());
    else if (name == "passive") bfd.passive = true;
    else if (name == "ttl" || name == "hoplimit") bfd.ttl = static_cast<std::uint8_t>(count());
    else if (name == "max_hops") bfd.max_hops = count() < 0 ? BfdInstance::any_hops : static_cast<std::int16_t>(count());
    else if (name == "multihop") bfd.multihop = node.word_count() < 2 || read_boolean(node.word(1)).value_or(true);
    else if (name == "vrrp") bfd.vrrp = true;
    else if (name == "checker") bfd.checker = true;
    if (name != "weight") return;
    bfd.weight = static_cast<std::int16_t>(read_number(node.word(1))->value);
    bfd.weight_reverse = node.word(2) == "reverse";
}

/// False: it cannot be used, and that has been said.
bool check_neighbor(Context& context, const BfdInstance& bfd, const Node& block) {
    const auto refuse = [&](std::string text, std::string help = {}) {
        context.reporter.error(block.line(), block.word(1), "bfd_instance " + in_quotes(bfd.name) + ": " + std::move(text) + ": it is ignored", std::move(help));
        return false;
    };
    if (bfd.name.size() > BfdInstance::longest_name) return refuse("a name has at most 31 characters");
    if (bfd.neighbor.is_multicast()) return refuse(to_string(bfd.neighbor) + " is no neighbor but a group");
    if (bfd.neighbor.is_link_local()) {
        return refuse("a link-local address means nothing without an interface, which cannot be said here", "use another address of the neighbor");
    }
    const auto [first, is_new] = context.bfd_neighbors.try_emplace(bfd.neighbor, bfd.where);
    if (is_new) return true;
    return refuse("line " + std::to_string(first->second.line) + " has a session with " + to_string(bfd.neighbor) + " already",
                  "track that one in several places");
}

void settle(Context& context, BfdInstance& bfd, const Node& block) {
    const auto note = [&](std::string text, std::string help) {
        context.reporter.note(block.line(), block.word(1), "bfd_instance " + in_quotes(bfd.name) + ": " + std::move(text), std::move(help));
    };
    if (!bfd.vrrp && !bfd.checker) bfd.vrrp = bfd.checker = true;
    if (bfd.source && bfd.source->family != bfd.neighbor.family) {
        context.reporter.error(block.line(), block.word(1),
                               "bfd_instance " + in_quotes(bfd.name) + ": source_ip and neighbor_ip are not of one family: source_ip is ignored");
        bfd.source.reset();
    }
    if (bfd.multihop && bfd.max_hops == 0) {
        note("with max_hops 0 only packets that no router has forwarded are taken", "write max_hops N, or -1 for any number");
    }
    if (!bfd.multihop && bfd.ttl != 255) note("a neighbor that obeys RFC 5881 takes nothing with a TTL other than 255", "leave ttl out");
}

}  // namespace

void read_bfd_instance(Context& context, const Node& block) {
    BfdInstance bfd;
    bfd.name = context.texts.intern(block.word(1));
    bfd.where = block.where(1);
    bfd.vrrp = bfd.checker = false;
    block.for_each_child([&](const Node& node) {
        if (!node.statement().is_deaf && check_arguments(context.reporter, node)) read_keyword(bfd, node);
    });
    if (!claim_tracker_name(context, context.bfds, block, !bfd.neighbor.is_unspecified(), "neighbor_ip ADDRESS")) return;
    if (!check_neighbor(context, bfd, block)) return;
    settle(context, bfd, block);
    context.configuration.bfd_instances.push_back(bfd);
}

}  // namespace vigil::config
