#include "engine/bfd/state_message.h"

namespace vigil::bfd {

std::span<const std::uint8_t> write_message(const StateMessage& message, std::span<std::uint8_t, StateMessage::longest> buffer) {
    packet::ByteWriter writer(buffer);
    const std::string_view name = message.name.view();
    writer.u8(static_cast<std::uint8_t>(message.kind));
    writer.u8(static_cast<std::uint8_t>(message.state));
    writer.u8(static_cast<std::uint8_t>(message.diagnostic));
    writer.u8(static_cast<std::uint8_t>(name.size()));
    writer.bytes({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
    return writer.written();
}

std::optional<StateMessage> read_message(packet::Bytes bytes) {
    packet::ByteReader reader(bytes);
    const std::uint8_t kind = reader.u8();
    const std::uint8_t state = reader.u8();
    const std::uint8_t diagnostic = reader.u8();
    const packet::Bytes name = reader.take(reader.u8());
    const bool is_known = kind <= static_cast<std::uint8_t>(StateMessage::Kind::reset) && state <= static_cast<std::uint8_t>(State::up);
    if (reader.has_failed() || !reader.rest().empty() || !is_known || name.size() > SessionName::longest) return std::nullopt;
    return StateMessage{static_cast<StateMessage::Kind>(kind), SessionName({reinterpret_cast<const char*>(name.data()), name.size()}),
                        static_cast<State>(state), static_cast<Diagnostic>(diagnostic & 0x1f)};
}

}  // namespace vigil::bfd
