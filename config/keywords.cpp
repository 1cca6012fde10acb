/// One hash table holds every (block, keyword) pair. It is built from the tables at the first question and never changes; the
/// keywords themselves are constants of the program.

#include "config/keywords.h"

#include <algorithm>
#include <array>
#include <vector>

#include "config/keyword_rows.h"
#include "config/suggestion.h"
#include "config/text_pool.h"
#include "config/words.h"

namespace vigil::config {

namespace {

struct Vocabulary {
    static constexpr std::size_t slot_count = 2048;  ///< about 540 are used
    struct Slot {
        BlockId block = BlockId::none;
        const Keyword* keyword = nullptr;
    };

    std::vector<BlockTable> tables;
    std::array<Slot, slot_count> slots{};

    Vocabulary() {
        tables.push_back({BlockId::root, "the root level", rows::root_keywords()});
        tables.push_back({BlockId::global_defs, "global_defs", rows::global_keywords()});
        for (const BlockTable& table : rows::vrrp_tables()) tables.push_back(table);
        for (const BlockTable& table : rows::checker_tables()) tables.push_back(table);
        for (const BlockTable& table : tables) {
            for (const Keyword& keyword : table.keywords) insert(table.block, keyword);
            for (const Keyword& keyword : table.more) insert(table.block, keyword);
        }
    }

    static std::size_t first_slot(BlockId block, std::string_view name) {
        return (hash_text(name) + static_cast<std::size_t>(block) * 97) % slot_count;
    }

    void insert(BlockId block, const Keyword& keyword) {
        std::size_t slot = first_slot(block, keyword.name);
        while (slots[slot].keyword != nullptr) slot = (slot + 1) % slot_count;
        slots[slot] = {block, &keyword};
    }

    const Keyword* find(BlockId block, std::string_view name) const {
        for (std::size_t slot = first_slot(block, name); slots[slot].keyword != nullptr; slot = (slot + 1) % slot_count) {
            if (slots[slot].block == block && slots[slot].keyword->name == name) return slots[slot].keyword;
        }
        return nullptr;
    }
};

const Vocabulary& vocabulary() {
    static const Vocabulary the_vocabulary;
    return the_vocabulary;
}

/// Words of forks and of releases long gone, still copied from page to page.
struct ForeignWord {
    std::string_view word;
    std::string_view help;
};
constexpr ForeignWord foreign_words[] = {
    {"nat_mask", "keepalived has dropped it long ago: leave it out"},
    {"local_address_group", "it belongs to a fork of keepalived for full NAT: leave it out"},
    {"laddr_group_name", "it belongs to a fork of keepalived for full NAT: leave it out"},
};

/// What often stands where a keyword should: foreign comments, pasted blanks, other languages' punctuation.
std::string explain_strange_word(std::string_view word) {
    if (word.starts_with("//") || word.starts_with("/*") || word.starts_with(";")) return "a comment starts with # or !";
    if (word.find("\xC2\xA0") != std::string_view::npos || word.find("\xE3\x80\x80") != std::string_view::npos) {
        return "there is a no-break or wide blank in it, often pasted from a web page: replace it by a plain blank";
    }
    if (word.find('\xEF') != std::string_view::npos) return "it may hold wide punctuation from an input method: use plain ASCII";
    return {};
}

/// An old name that only other blocks still take, when this block knows the new one.
std::string find_newer_name(BlockId block, std::string_view word) {
    for (const BlockTable& table : vocabulary().tables) {
        const Keyword* keyword = find_keyword(table.block, word);
        const bool is_renamed = keyword != nullptr && !keyword->replacement.empty();
        if (is_renamed && find_keyword(block, keyword->replacement) != nullptr) return std::string(keyword->replacement);
    }
    return {};
}

}  // namespace

std::span<const BlockTable> block_tables() { return vocabulary().tables; }

std::string_view name_of(BlockId block) {
    switch (block) {
        case BlockId::address_list: return "the address list";
        case BlockId::static_address_list: return "static_ipaddress";
        case BlockId::route_list: return "virtual_routes";
        case BlockId::static_route_list: return "static_routes";
        case BlockId::rule_list: return "virtual_rules";
        case BlockId::static_rule_list: return "static_rules";
        case BlockId::peer_list: return "unicast_peer";
        case BlockId::track_interface_list: return "track_interface";
        case BlockId::track_script_list: return "track_script";
        case BlockId::track_file_list: return "track_file";
        case BlockId::track_process_list: return "track_process";
        case BlockId::track_bfd_list: return "track_bfd";
        case BlockId::server_group_list: return "virtual_server_group";
        default: break;
    }
    for (const BlockTable& table : block_tables()) {
        if (table.block == block) return table.name;
    }
    return "the list";
}

const Keyword* find_keyword(BlockId block, std::string_view name) { return vocabulary().find(block, name); }

bool stand_together(const Keyword& keyword, std::string_view word) {
    const auto& tables = vocabulary().tables;
    return std::any_of(tables.begin(), tables.end(), [&](const BlockTable& table) {
        return find_keyword(table.block, keyword.name) == &keyword && find_keyword(table.block, word) != nullptr;
    });
}

std::string suggest_keyword(BlockId block, std::string_view word) {
    std::string strange = explain_strange_word(word);
    if (!strange.empty()) return strange;
    for (const ForeignWord& foreign : foreign_words) {
        if (foreign.word == word) return std::string(foreign.help);
    }
    const std::string newer = find_newer_name(block, word);
    if (!newer.empty()) return "use " + in_quotes(newer) + " here";
    std::string homes;
    for (const BlockTable& table : block_tables()) {
        const bool is_known = table.block != block && find_keyword(table.block, word) != nullptr;
        if (is_known && homes.find(in_quotes(table.name)) == std::string::npos) {
            homes += (homes.empty() ? "" : " or ") + in_quotes(table.name);
        }
    }
    if (!homes.empty()) return "'" + std::string(word) + "' belongs into " + homes;

    Suggester suggester(word);
    std::string_view home;
    for (const bool is_same : {true, false}) {
        for (const BlockTable& table : block_tables()) {
            if ((table.block == block) != is_same) continue;
            const std::string_view before = suggester.best();
            for (const auto& keywords : {table.keywords, table.more}) {
                for (const Keyword& keyword : keywords) suggester.consider(keyword.name, is_same ? 0 : 1);
            }
            if (suggester.best().data() != before.data()) home = is_same ? std::string_view{} : table.name;
        }
    }
    if (!suggester.best().empty()) {
        std::string help = "did you mean " + in_quotes(suggester.best()) + "?";
        if (!home.empty()) help += " It belongs into " + in_quotes(home);
        return help;
    }
    const std::size_t glued = word.find_first_of("=:;,");
    if (glued != std::string_view::npos && find_keyword(block, word.substr(0, glued)) != nullptr) {
        return "write " + in_quotes(word.substr(0, glued)) + ", a blank, and the value";
    }
    return {};
}

}  // namespace vigil::config
