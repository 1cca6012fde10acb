#include <algorithm>

#include "config/interpreter.h"
#include "config/suggestion.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {
}  // namespace

void read_addresses(Context& context, std::vector<ConfiguredAddress>& addresses, const Node& block) {
    block.for_each_child([&](const Node& item) {
        if (item.statement().is_deaf) return;
        if (const auto address = read_address_line(context, item)) addresses.push_back(*address);
    });
}

void read_routes(Context& context, std::vector<ConfiguredRoute>& routes, const Node& block, bool is_static) {
    block.for_each_child([&](const Node& item) {
        if (item.statement().is_deaf) return;
        if (auto route = read_route_line(context, item, is_static)) routes.push_back(std::move(*route));
    });
}

void read_rules(Context& context, std::vector<ConfiguredRule>& rules, const Node& block, bool is_static) {
    block.for_each_child([&](const Node& item) {
        if (item.statement().is_deaf) return;
        if (auto rule = read_rule_line(context, item, is_static)) rules.push_back(std::move(*rule));
    });
}

void read_unicast_peers(Context& context, VrrpInstance& instance, const Node& block) {
    instance.unicast = true;
    block.for_each_child([&](const Node& item) {
        if (item.statement().is_deaf) return;
        const auto address = read_address(item.word(0));
        if (!address || address->is_multicast()) {
            context.reporter.error(item.line(), item.word(0),
                                   "expected the address of a peer, not " + in_quotes(item.word(0)) + ": the line is dropped");
            return;
        }
        UnicastPeer peer{*address, 0, 255, item.where(0)};
        for (std::size_t index = 1; index < item.word_count(); index += 2) {
            const std::string_view option = item.word(index);
            const auto value = read_number(item.word(index + 1));
            const bool is_known = option == "min_ttl" || option == "max_ttl";
            if (!is_known || !value || value->has_trailing || value->value < 0 || value->value > 255) {
                context.reporter.error(
                    item.line(), option,
                    "a peer takes min_ttl and max_ttl with a number from 0 to 255: the rest of the line is ignored");
                break;
            }
            (option == "min_ttl" ? peer.min_ttl : peer.max_ttl) = static_cast<std::uint8_t>(value->value);
        }
        if (peer.min_ttl > peer.max_ttl) {
            context.reporter.error(item.line(), item.word(0), "min_ttl is greater than max_ttl: both are ignored");
            peer.min_ttl = 0;
            peer.max_ttl = 255;
        }
        instance.unicast_peers.push_back(peer);
    });
}

namespace {

void read_weight(Context& context, const TrackedList& list, TrackedItem& item, const Node& node, std::size_t at) {
    const auto weight = read_number(node.word(at));
    if (!weight || weight->has_trailing || weight->value < -254 || weight->value > 254) {
        context.reporter.error(node.line(), node.word(node.word_count() > at ? at : at - 1),
                               "'weight' expects a number from -" + std::to_string(list.greatest_weight) + " to " +
                                   std::to_string(list.greatest_weight) + ": the entry has no weight of its own");
        return;
    }
    item.weight = static_cast<std::int16_t>(std::clamp<std::int64_t>(weight->value, -list.greatest_weight, list.greatest_weight));
    if (weight->value == *item.weight) return;
    context.reporter.warning(node.line(), node.word(at), "a weight is at most 253: " + std::to_string(*item.weight) + " is used");
}

}  // namespace

/// NAME [weight N [reverse|noreverse]]
void read_tracked_items(Context& context, TrackedList list, InstanceDraft& draft, const Node& block) {
    block.for_each_child([&](const Node& node) {
        if (node.statement().is_deaf) return;
        TrackedItem item;
        item.name = context.texts.intern(node.word(0));
        item.where = node.where(0);
        std::size_t next = 1;
        if (node.word(next) == "weight") {
            read_weight(context, list, item, node, next + 1);
            next += 2;
            item.reverse = node.word(next) == "reverse";
            const bool is_straight = node.word(next) == "noreverse";
            if (item.reverse || is_straight) ++next;
            else if (item.weight && list.names != nullptr) draft.open_directions.push_back(item.where);
        }
        if (next < node.word_count()) {
            Suggester suggester(node.word(next));
            suggester.consider("weight");
            suggester.consider("reverse");
            context.reporter.error(node.line(), node.word(next),
                                   "unknown word " + in_quotes(node.word(next)) + " behind " + in_quotes(item.name),
                                   suggester.best().empty() ? "write NAME [weight NUMBER [reverse]]"
                                                            : "did you mean " + in_quotes(suggester.best()) + "?");
        }
        const auto is_same = [&](const TrackedItem& other) { return other.name == item.name; };
        if (std::any_of(list.items.begin(), list.items.end(), is_same)) {
            context.reporter.error(node.line(), node.word(0), in_quotes(item.name) + " is in the list already: this entry is ignored");
            return;
        }
        if (list.names != nullptr && !list.names->contains(item.name)) draft.early_uses.push_back(item.where);
        list.items.push_back(item);
    });
    if (list.items.empty()) context.reporter.warning(block.line(), block.word(0), in_quotes(block.word(0)) + " is empty", "leave it out");
}

}  // namespace vigil::config
