#include "engine/core/router_table.h"

namespace vigil::engine {

void RouterTable::reserve(std::size_t routers, std::size_t links) {
    records_.reserve(routers);
    by_key_.assign(links * 512, RouterIndex::none);
}

bool RouterTable::add(const VirtualRouter& router) {
    const std::size_t key = key_of(router.link, family_of(router), router.vrid);
    if (key >= by_key_.size() || by_key_[key] != RouterIndex::none) return false;
    by_key_[key] = RouterIndex{static_cast<std::uint32_t>(records_.size())};
    records_.push_back(router);
    return true;
}

}  // namespace vigil::engine
