/// use_ipvlan [[name] IFNAME] [ADDRESS[/PREFIX]] [bridge|private|vepa] [group N], in any order.

#include <algorithm>
#include <array>

#include "config/device_words.h"
#include "config/interpreter.h"
#include "config/values.h"

namespace vigil::config {

namespace {

constexpr std::array<std::string_view, 3> mode_names{"bridge", "private", "vepa"};   // by IpvlanMode

}  // namespace

std::string_view name_of(IpvlanMode mode) { return mode_names[static_cast<std::size_t>(mode)]; }

void read_use_ipvlan(Context& context, VrrpInstance& instance, const Node& node) {
    IpvlanSettings settings;
    const auto refuse = [&](std::string_view part, std::string message) {
        context.reporter.error(node.line(), part, std::move(message), "use_ipvlan [name] [ADDRESS] [bridge|private|vepa] [group NUMBER]");
    };
    for (std::size_t index = 1; index < node.word_count(); ++index) {
        std::string_view word = node.word(index);
        const auto mode = std::find(mode_names.begin(), mode_names.end(), word);
        if (mode != mode_names.end()) {
            settings.mode = static_cast<IpvlanMode>(mode - mode_names.begin());
        } else if (word == "group") {
            if (const auto group = read_device_group(node.word(++index))) settings.group = *group;
            else refuse(word, "'group' of use_ipvlan expects a number: ignored");
        } else if (const auto address = read_address_with_prefix(word)) {
            if (address->address.is_multicast() || address->is_prefix_bad) {
                refuse(word, "'" + std::string(word) + "' is no address that the device can have: ignored");
                continue;
            }
            settings.address = address->address;
            settings.prefix_length = address->prefix_length.value_or(static_cast<std::uint8_t>(8 * address->address.size()));
        } else {
            if (word == "name") word = node.word(++index);
            if (settings.name.empty() && is_device_name(word)) settings.name = context.texts.intern(word);
            else refuse(word.empty() ? node.word(index - 1) : word, "'" + std::string(word) + "' is no name for the interface: ignored");
        }
    }
    instance.ipvlan = settings;
}

}  // namespace vigil::config
