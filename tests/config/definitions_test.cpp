#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

TEST(Definitions, AreUsedWithAndWithoutBraces) {
    EXPECT_EQ(preprocess("$IF=eth0\ninterface $IF\ninterface ${IF}.5\n").lines, (Lines{"interface eth0", "interface eth0.5"}));
}

TEST(Definitions, WithoutBracesEndAtBlankCommaParenthesisOrEnd) {
    EXPECT_EQ(preprocess("$I=10.0.0.1\na $I/24\nb $I,x\nc $I)\nd $I\te\n").lines,
              (Lines{"a $I/24", "b 10.0.0.1,x", "c 10.0.0.1)", "d 10.0.0.1\te"}));
}

TEST(Definitions, AreReplacedWhenUsedNotWhenMade) {
    EXPECT_EQ(preprocess("$A=${B}x\n$B=1\nv $A\n$B=2\nv $A\n").lines, (Lines{"v 1x", "v 2x"}));
}

TEST(Definitions, MayBeEmpty) { EXPECT_EQ(preprocess("$A=\nv ${A}w\n").lines, (Lines{"v w"})); }

TEST(Definitions, ALineThatBecomesEmptyIsNone) { EXPECT_EQ(preprocess("$A=\n$A\n").lines, (Lines{})); }

TEST(Definitions, UnknownNamesStayAndAreReported) {
    const Preprocessed result = preprocess("$INTERFACE=eth0\ninterface ${INTERFACES}\n");
    EXPECT_EQ(result.lines, (Lines{"interface ${INTERFACES}"}));
    ASSERT_EQ(result.diagnostics.all().size(), 1u);
    EXPECT_EQ(result.diagnostics.all()[0].help, "did you mean 'INTERFACE'?");
}

TEST(Definitions, ADollarInAPasswordIsNoReference) { EXPECT_EQ(preprocess("auth_pass $ecret\n").diagnostics.all().size(), 0u); }

TEST(Definitions, InsideQuotesUnknownNamesAreForTheScript) {
    EXPECT_EQ(preprocess("notify \"/bin/sh -c 'echo ${HOME}'\"\n").diagnostics.all().size(), 0u);
}

TEST(Definitions, ShellDefaultsAreExplained) {
    const LoadResult result = load_string(instance_with("priority ${PRIORITY:-150}"));
    EXPECT_NE(helps(result).find("shell defaults are not part of this language"), std::string::npos);
    EXPECT_EQ(result.configuration.instances.at(0).priority, Priority{100});
}

TEST(Definitions, ABraceOfAnUnknownNameOpensNoBlock) {
    const LoadResult result = load_string(instance_with("mcast_src_ip ${WHAT}\npriority 150"));
    EXPECT_EQ(result.configuration.instances.at(0).priority, Priority{150});
    EXPECT_EQ(result.diagnostics.count(Severity::error), 1u);
}

TEST(Definitions, ABlankBeforeTheEqualsSignIsReported) {
    const Preprocessed result = preprocess("$A = 1\n");
    EXPECT_EQ(result.lines, (Lines{}));
    EXPECT_EQ(result.diagnostics.all().at(0).help, "write $A=value");
}

TEST(Definitions, OneThatRefersToItselfIsReported) {
    const Preprocessed result = preprocess("$A=$B\n$B=$A\nv $A\nw 1\n");
    EXPECT_EQ(result.lines, (Lines{"w 1"}));
    EXPECT_NE(result.diagnostics.all().at(0).message.find("refers to itself"), std::string::npos);
}

TEST(MultiLineDefinitions, GiveAllTheirLines) {
    EXPECT_EQ(preprocess("$BODY=\\\n priority 100 \\\n # a comment \\\n state MASTER\nafter 1\n$BODY\n").lines,
              (Lines{"after 1", "priority 100", "state MASTER"}));
}

TEST(MultiLineDefinitions, TextBeforeThemJoinsTheFirstLine) {
    EXPECT_EQ(preprocess("$B=\\\n one {\\\n two\nx $B\n}\n").lines, (Lines{"x one {", "two", "}"}));
}

TEST(MultiLineDefinitions, MustBeTheLastThingOnTheLine) {
    const Preprocessed result = preprocess("$B=\\\n one\\\n two\n$B x\n");
    EXPECT_EQ(result.lines, (Lines{}));
    EXPECT_NE(result.diagnostics.all().at(0).message.find("must be the last thing"), std::string::npos);
}

TEST(MultiLineDefinitions, MayReferToOthers) {
    EXPECT_EQ(preprocess("$I=\\\n a $N\\\n b\n$O=\\\n open\\\n $I\\\n close\n$N=5\n$O\n").lines, (Lines{"open", "a 5", "b", "close"}));
}

TEST(MultiLineDefinitions, ThatIncludeThemselvesAreReported) {
    const Preprocessed result = preprocess("$A=\\\n x\\\n $A\n$A\n");
    EXPECT_EQ(result.lines, (Lines{"x"}));
    EXPECT_NE(result.diagnostics.all().at(0).message.find("refers to itself"), std::string::npos);
}

TEST(MultiLineDefinitions, AFileThatEndsInsideOneIsReported) {
    EXPECT_NE(preprocess("$A=\\\n x\\\n").diagnostics.all().at(0).message.find("the file ends inside"), std::string::npos);
}

TEST(BuiltIns, GiveDirectoryInstanceHashAndBang) {
    LoadOptions options;
    options.config_id = "left";
    EXPECT_EQ(preprocess("a ${_PWD}/x\nb ${_INSTANCE}\nc ${_HASH}${_BANG}\n", options).lines, (Lines{"a /etc/vigil/x", "b left", "c #!"}));
}

TEST(BuiltIns, EnvironmentComesFromTheFileSystemInterface) {
    MemoryFiles files;
    files.variables["VIP"] = "10.9.8.7";
    LoadOptions options;
    options.file_system = &files;
    EXPECT_EQ(preprocess("a ${_ENV VIP}\nb ${_ENV NONE}c\n", options).lines, (Lines{"a 10.9.8.7", "b c"}));
}

TEST(BuiltIns, MayBeRedefined) { EXPECT_EQ(preprocess("$_HASH=x\na ${_HASH}\n").lines, (Lines{"a x"})); }

TEST(BuiltIns, RandomStaysInItsBoundsAndChangesPerUse) {
    bool differs = false;
    for (int seed = 0; seed < 20; ++seed) {
        LoadOptions options;
        options.random_seed = static_cast<std::uint64_t>(seed);
        const Lines lines = preprocess("${_RANDOM 5 8}\n${_RANDOM 5 8}\n", options).lines;
        for (const std::string& line : lines) {
            EXPECT_GE(std::stoi(line), 5);
            EXPECT_LE(std::stoi(line), 8);
        }
        differs = differs || lines.at(0) != lines.at(1);
    }
    EXPECT_TRUE(differs);
}

TEST(BuiltIns, RandomFollowsTheSeedKeyword) {
    LoadOptions one;
    LoadOptions two;
    one.random_seed = 1;
    two.random_seed = 2;
    const std::string text = "random_seed 77\nv ${_RANDOM}\n";
    EXPECT_EQ(preprocess(text, one).lines, preprocess(text, two).lines);
    EXPECT_NE(preprocess("v ${_RANDOM}\n", one).lines, preprocess("v ${_RANDOM}\n", two).lines);
}

TEST(Conditions, KeepTheLineForItsIdOnly) {
    LoadOptions options;
    options.config_id = "a";
    EXPECT_EQ(preprocess("@a one\n@b two\n@^a three\n@^b four\n@a\n", options).lines, (Lines{"one", "four"}));
}

TEST(Conditions, GoWithDefinitions) {
    LoadOptions options;
    options.config_id = "b";
    EXPECT_EQ(preprocess("@a $P=100\n@b $P=50\npriority $P\n", options).lines, (Lines{"priority 50"}));
}

TEST(Conditions, ThatDoNotHoldSwallowAMultiLineDefinition) {
    LoadOptions options;
    options.config_id = "b";
    EXPECT_EQ(preprocess("@a $P=\\\n one\\\n two\nthree\n", options).lines, (Lines{"three"}));
}

TEST(Conditions, WithoutAConfigIdOnlyNegatedOnesHold) { EXPECT_EQ(preprocess("@a one\n@^a two\n").lines, (Lines{"two"})); }

}  // namespace vigil::config::test
