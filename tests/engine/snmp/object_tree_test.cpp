#include "engine/snmp/object_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/snmp/values.h"

namespace vigil::snmp {
namespace {

std::uint64_t getter_calls = 0;

/// The row's own number, for rows that have this column.
Object value_of(const Row& row) {
    ++getter_calls;
    return integer(row.index.back());
}
Object never(const Row&) {
    ++getter_calls;
    return std::nullopt;
}
Object odd_ones(const Row& row) { return row.index.back() % 2 == 1 ? value_of(row) : never(row); }

std::vector<Row> rows(std::uint32_t count) {
    std::vector<Row> list;
    for (std::uint32_t i = count; i > 0; --i) list.push_back({{i}, nullptr, nullptr});   // in the wrong order
    return list;
}

ObjectTree small_tree() {
    return ObjectTree({{{1, 2, 5, 1}, {{2, value_of}, {4, odd_ones}, {5, never}}, rows(3)},
                       {{1, 2}, {{1, value_of}, {7, value_of}}, {{{0}, nullptr, nullptr}}},      // scalars around the table
                       {{1, 2, 6, 1}, {{1, value_of}}, {}},                                      // empty
                       {{1, 3, 1}, {{3, value_of}}, {{{4, 7}, nullptr, nullptr}, {{4, 7, 1}, nullptr, nullptr}, {{9}, nullptr, nullptr}}}});
}

const std::vector<Oid> small_walk{{1, 2, 1, 0}, {1, 2, 5, 1, 2, 1}, {1, 2, 5, 1, 2, 2}, {1, 2, 5, 1, 2, 3}, {1, 2, 5, 1, 4, 1}, {1, 2, 5, 1, 4, 3}, {1, 2, 7, 0},
                                  {1, 3, 1, 3, 4, 7}, {1, 3, 1, 3, 4, 7, 1}, {1, 3, 1, 3, 9}};

TEST(ObjectTree, AWalkVisitsEveryObjectOnceInOrder) {
    const ObjectTree tree = small_tree();
    std::vector<Oid> seen;
    for (auto found = tree.next(Oid{1}); found; found = tree.next(found->first)) {
        seen.push_back(found->first);
        EXPECT_EQ(tree.get(found->first), found->second);
        ASSERT_LE(seen.size(), small_walk.size());
    }
    EXPECT_EQ(seen, small_walk);
}

TEST(ObjectTree, NextOfAnyOidIsTheFirstBehindIt) {
    const ObjectTree tree = small_tree();
    std::mt19937 random(1);
    for (int i = 0; i < 20'000; ++i) {
        Oid oid;
        for (std::size_t size = random() % 8; oid.size() < size;) oid.push_back(static_cast<std::uint32_t>(random() % 10));
        const auto expected = std::upper_bound(small_walk.begin(), small_walk.end(), oid);
        const auto found = tree.next(oid);
        ASSERT_EQ(found.has_value(), expected != small_walk.end());
        if (!found) continue;
        ASSERT_EQ(found->first, *expected);
    }
}

TEST(ObjectTree, GetWantsTheWholeOid) {
    const ObjectTree tree = small_tree();
    for (const Oid& oid : {Oid{}, Oid{1, 2}, Oid{1, 2, 1}, Oid{1, 2, 1, 0, 0}, Oid{1, 2, 5, 1, 2}, Oid{1, 2, 5, 1, 2, 4}, Oid{1, 2, 5, 1, 3, 1}, Oid{1, 2, 5, 1, 4, 2}, Oid{1, 3, 1, 3, 4}}) {
        EXPECT_FALSE(tree.get(oid));
    }
}

TEST(ObjectTree, TwoRowsWithOneIndexAreOne) {
    const ObjectTree tree({{{1}, {{1, value_of}}, {{{5}, nullptr, nullptr}, {{5}, nullptr, nullptr}}}});
    const auto first = tree.next(Oid{1});
    ASSERT_TRUE(first);
    EXPECT_FALSE(tree.next(first->first));
}

TEST(ObjectTree, ANextAmong65280RowsLooksAtOneOfThem) {
    const ObjectTree tree({{{1, 2}, {{2, value_of}, {3, value_of}}, rows(65'280)}});
    getter_calls = 0;
    for (std::uint32_t i = 1; i < 65'280; i += 97) {
        ASSERT_EQ(tree.next(Oid{1, 2, 2, i})->first, (Oid{1, 2, 2, i + 1}));
        ASSERT_TRUE(tree.get(Oid{1, 2, 3, i}));
    }
    EXPECT_EQ(getter_calls, 2 * ((65'280u - 2) / 97 + 1));
    EXPECT_EQ(tree.next(Oid{1, 2, 2, 65'280})->first, (Oid{1, 2, 3, 1}));
    EXPECT_FALSE(tree.next(Oid{1, 2, 3, 65'280}));
}

}  // namespace
}  // namespace vigil::snmp
