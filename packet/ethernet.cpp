#include "packet/ethernet.h"

namespace vigil::packet {

void write_ethernet(ByteWriter& writer, const MacAddress& destination, const MacAddress& source, EtherType type) {
    writer.mac(destination);
    writer.mac(source);
    writer.u16(static_cast<std::uint16_t>(type));
}

}  // namespace vigil::packet
