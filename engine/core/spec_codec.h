#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/core/spec.h"
#include "packet/bytes.h"

namespace vigil::engine {

/// Appends the specification, for the head of a journal.
void write_spec(std::vector<std::uint8_t>& out, const EngineSpec& spec);
/// What a version of the format knows beside links and routers.
struct SpecParts {
    bool has_groups = true;
    bool has_hmac = true;
};
/// Reads it back; nullopt when cut off or out of range. Never takes more memory than a small multiple of the bytes given.
std::optional<EngineSpec> read_spec(packet::ByteReader& reader, const SpecParts& parts = {});

}  // namespace vigil::engine
