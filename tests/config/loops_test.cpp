#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

TEST(Sequence, CountsFromStartToEnd) {
    EXPECT_EQ(preprocess("~SEQ(I, 3, 5) ip 10.0.0.${I}\n").lines, (Lines{"ip 10.0.0.3", "ip 10.0.0.4", "ip 10.0.0.5"}));
}

TEST(Sequence, TakesAStep) { EXPECT_EQ(preprocess("~SEQ(I, 1, 4, 10) $I\n").lines, (Lines{"1", "5", "9"})); }

TEST(Sequence, WithOneNumberStartsAtOne) { EXPECT_EQ(preprocess("~SEQ(I, 2) $I\n").lines, (Lines{"1", "2"})); }

TEST(Sequence, WithOneNegativeNumberStartsAtMinusOne) { EXPECT_EQ(preprocess("~SEQ(I, -2) $I\n").lines, (Lines{"-1", "-2"})); }

TEST(Sequence, GoesDownWhenTheEndIsLess) { EXPECT_EQ(preprocess("~SEQ(I, 3, 1) $I\n").lines, (Lines{"3", "2", "1"})); }

TEST(Sequence, ReadsHexadecimalAndOctal) { EXPECT_EQ(preprocess("~SEQ(I, 0xe, 020) $I\n").lines, (Lines{"14", "15", "16"})); }

TEST(Sequence, PrintsHexadecimalWithX) {
    EXPECT_EQ(preprocess("~SEQx(I, 9, 11) fe80::${I}\n").lines, (Lines{"fe80::9", "fe80::a", "fe80::b"}));
}

TEST(Sequence, AStepOfTheWrongSignIsAnError) {
    const Preprocessed result = preprocess("~SEQ(I, 1, -1, 3) $I\nx\n");
    EXPECT_EQ(result.lines, (Lines{"x"}));
    EXPECT_EQ(result.diagnostics.count(Severity::error), 1u);
}

TEST(Sequence, AStepOfZeroIsAnError) { EXPECT_EQ(preprocess("~SEQ(I, 1, 0, 3) $I\n").diagnostics.count(Severity::error), 1u); }

TEST(Sequence, EndsAtTheLargestNumberThereIs) {
    EXPECT_EQ(preprocess("~SEQ(I, 9223372036854775806, 9223372036854775807) $I\n").lines,
              (Lines{"9223372036854775806", "9223372036854775807"}));
}

TEST(Sequence, ParametersMayBeDefinitions) { EXPECT_EQ(preprocess("$N=2\n~SEQ(I, $N) $I\n").lines, (Lines{"1", "2"})); }

TEST(Sequence, NestsOuterFirst) {
    EXPECT_EQ(preprocess("~SEQ(A, 1, 2) ~SEQ(B, 1, 2) $A $B\n").lines, (Lines{"1 1", "1 2", "2 1", "2 2"}));
}

TEST(Sequence, TheVariableHidesADefinition) { EXPECT_EQ(preprocess("$I=x\n~SEQ(I, 1) $I\nv $I\n").lines, (Lines{"1", "v x"})); }

TEST(Sequence, RepeatsAMultiLineDefinition) {
    EXPECT_EQ(preprocess("$BLOCK=\\\nvrrp_instance VI_${I} {\\\n virtual_router_id $I\\\n}\n~SEQ(I, 1, 2) $BLOCK\n").lines,
              (Lines{"vrrp_instance VI_1 {", "virtual_router_id 1", "}", "vrrp_instance VI_2 {", "virtual_router_id 2", "}"}));
}

TEST(Sequence, MakesDefinitions) { EXPECT_EQ(preprocess("~SEQ(I, 1, 2) $V${I}=x${I}\nv $V1 $V2\n").lines, (Lines{"v x1 x2"})); }

TEST(Sequence, AMissingParenthesisIsReported) {
    const Preprocessed result = preprocess("~SEQ(I, 1, 2 $I\n");
    EXPECT_EQ(result.lines, (Lines{}));
    EXPECT_EQ(result.diagnostics.count(Severity::error), 1u);
}

TEST(List, GivesEachValue) {
    EXPECT_EQ(preprocess("~LST(IF, eth0, eth1 , bond0) interface $IF\n").lines,
              (Lines{"interface eth0", "interface eth1", "interface bond0"}));
}

TEST(List, GivesTuples) { EXPECT_EQ(preprocess("~LST({A,B}, {1,x}, {2,y}) $A-${B}\n").lines, (Lines{"$A-x", "$A-y"})); }

TEST(List, TupleMembersThatAreMissingAreBlank) { EXPECT_EQ(preprocess("~LST({A,B}, {1,x}, {2}) ${A}${B}\n").lines, (Lines{"1x", "2"})); }

TEST(List, TooManyTupleMembersAreAnError) {
    const Preprocessed result = preprocess("~LST({A,B}, {1,x}, {2,y,z}) ${A}${B}\n");
    EXPECT_EQ(result.lines, (Lines{"1x"}));
    EXPECT_EQ(result.diagnostics.count(Severity::error), 1u);
}

TEST(List, NestsWithSequences) {
    EXPECT_EQ(preprocess("~LST(N, a, b) ~SEQ(I, 1, 2) $N ${I}\n").lines, (Lines{"a 1", "a 2", "b 1", "b 2"}));
}

TEST(List, MayComeFromADefinition) { EXPECT_EQ(preprocess("$ALL=x, y\n~LST(V, $ALL) $V\n").lines, (Lines{"x", "y"})); }

TEST(Bounds, AHugeSequenceEndsWithAnError) {
    LoadOptions options;
    options.limits.generated_lines = 1000;
    const Preprocessed result = preprocess("~SEQ(I, 1, 0x7fffffffffffffff) x\nlast\n", options);
    EXPECT_EQ(result.lines.size(), 1000u);
    EXPECT_EQ(result.diagnostics.count(Category::cannot_run), 1u);
}

TEST(Bounds, AnEmptyBodyDoesNotRunAtAll) { EXPECT_EQ(preprocess("~SEQ(I, 1, 0x7fffffffffffffff)\nlast\n").lines, (Lines{"last"})); }

TEST(Bounds, DoublingDefinitionsAreStoppedByLength) {
    std::string text = "$A0=xxxxxxxxxx\n";
    for (int n = 1; n < 30; ++n) text += "$A" + std::to_string(n) + "=${A" + std::to_string(n - 1) + "}${A" + std::to_string(n - 1) + "}\n";
    const Preprocessed result = preprocess(text + "v $A29\nw\n");
    EXPECT_EQ(result.lines, (Lines{"w"}));
    EXPECT_EQ(result.diagnostics.count(Severity::error), 1u);
}

TEST(Bounds, DoublingDefinitionsOfNothingAreStoppedByCount) {
    std::string text = "$A0=\n";
    for (int n = 1; n < 31; ++n) text += "$A" + std::to_string(n) + "=${A" + std::to_string(n - 1) + "}${A" + std::to_string(n - 1) + "}\n";
    const Preprocessed result = preprocess(text + "v $A30\nw\n");
    EXPECT_EQ(result.lines, (Lines{"w"}));
    EXPECT_EQ(result.diagnostics.count(Severity::error), 1u);
}

TEST(Bounds, DoublingMultiLineDefinitionsAreStopped) {
    LoadOptions options;
    options.limits.generated_lines = 10'000;
    std::string text = "$A0=\\\nx\\\nx\n";
    for (int n = 1; n < 30; ++n) {
        const std::string below = "$A" + std::to_string(n - 1);
        text += "$A" + std::to_string(n) + "=\\\n" + below + "\\\n" + below + "\n";
    }
    const Preprocessed result = preprocess(text + "$A29\n", options);
    EXPECT_LE(result.lines.size(), 10'000u);
    EXPECT_EQ(result.diagnostics.count(Category::cannot_run), 1u);
}

TEST(Bounds, ManyUnknownNamesAreQuickWithManyDefinitions) {
    std::string text;
    for (int n = 0; n < 20'000; ++n) text += "$DEFINITION_" + std::to_string(n) + "=1\n";
    for (int n = 0; n < 20'000; ++n) text += "v ${DEFINITIONS_" + std::to_string(n) + "}\n";
    EXPECT_EQ(preprocess(text).diagnostics.count(Severity::error), 20'000u);  // 4 * 10^8 comparisons without a bound
}

TEST(Bounds, DiagnosticsKeepOnlyTheBeginningOfALongLine) {
    const LoadResult result = load_string("$A=" + std::string(1000, 'x') + "\n$B=$A ${A}${A}${A}${A}\n$B\n");
    ASSERT_EQ(result.diagnostics.all().size(), 1u);
    EXPECT_LE(result.diagnostics.all()[0].source_line.size(), 1024u);
    EXPECT_LE(result.diagnostics.all()[0].message.size(), 1024u);
}

TEST(Bounds, TheTextOfLoopsIsBounded) {
    LoadOptions options;
    options.limits.expanded_bytes = 10'000;
    const Preprocessed result = preprocess("~SEQ(I, 1, 1000000) xxxxxxxxxxxxxxxxxxxx${I}\n", options);
    EXPECT_LT(result.lines.size(), 500u);
    EXPECT_EQ(result.diagnostics.count(Category::cannot_run), 1u);
}

}  // namespace vigil::config::test
