#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/core/spec.h"
#include "packet/bytes.h"

namespace vigil::engine {

/// Of journals: 3 has successors, 4 sync groups, 5 signatures, pacing groups and extra refreshes.
constexpr std::uint16_t spec_version = 5;

/// Appends the specification, for the head of a journal.
void write_spec(std::vector<std::uint8_t>& out, const EngineSpec& spec);
/// Reads it back; nullopt when cut off or out of range. Never takes more memory than a small multiple of the bytes given. `version`: of the
/// journal, what has come since is not in it.
std::optional<EngineSpec> read_spec(packet::ByteReader& reader, std::uint16_t version = spec_version);

}  // namespace vigil::engine
