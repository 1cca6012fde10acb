#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/core/spec.h"
#include "packet/bytes.h"

namespace vigil::engine {

/// Appends the specification, for the head of a journal.
void write_spec(std::vector<std::uint8_t>& out, const EngineSpec& spec);
/// Reads it back; nullopt when cut off or out of range. Never takes more memory than a small multiple of the bytes given. `has_groups`: it was
/// written by a version that knows sync groups.
std::optional<EngineSpec> read_spec(packet::ByteReader& reader, bool has_groups = true);

}  // namespace vigil::engine
