#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>

#include "engine/daemon/reload_time.h"

namespace vigil::daemon {
namespace {

/// 2026-11-20 12:00:00 UTC, which is 14:00:00 in the zone of these tests.
constexpr std::time_t noon = 1'795'176'000;
constexpr std::time_t hour = 3600;
constexpr std::time_t day = 24 * hour;

class ReloadTimes : public testing::Test {
protected:
    void SetUp() override {
        ::setenv("TZ", "TST-2", 1);
        ::tzset();
        directory_ = std::filesystem::temp_directory_path() / ("vigil-reload-time-" + std::to_string(::getpid()));
        std::filesystem::create_directory(directory_);
    }
    void TearDown() override {
        std::filesystem::remove_all(directory_);
        ::unsetenv("TZ");
        ::tzset();
    }

    std::string path() const { return directory_ / "when"; }
    void write(std::string_view text) {
        // A name of its own first: two writings in one tick of the file system's clock differ in their inode.
        const std::string side = path() + std::to_string(++writings_);
        std::ofstream(side) << text;
        std::filesystem::rename(side, path());
    }
    bool exists() const { return std::filesystem::exists(path()); }

    std::filesystem::path directory_;
    int writings_ = 0;
};

std::time_t at(std::string_view text, std::time_t now = noon) {
    const auto time = read_reload_time(text, now);
    return time ? time->at : 0;
}

TEST_F(ReloadTimes, ATimeOfDayIsTheNextOne) {
    EXPECT_EQ(at("14:00:01"), noon + 1);
    EXPECT_EQ(at("14:00:00"), noon + day);
    EXPECT_EQ(at("13:59:59\n"), noon + day - 1);
    EXPECT_EQ(at("12:00:01Z"), noon + 1);
    EXPECT_EQ(at(" 11:00:00 Z\n"), noon + day - hour);
    EXPECT_TRUE(read_reload_time("14:00:01", noon)->is_daily);
}

TEST_F(ReloadTimes, ADateHasAYearOfTwoOrFourDigits) {
    EXPECT_EQ(at("2026-11-21 14:00:00"), noon + day);
    EXPECT_EQ(at("26-11-21 14:00:00"), noon + day);
    EXPECT_EQ(at("26-11-21 12:00:00Z"), noon + day);
    EXPECT_EQ(at("2026-11-19 14:00:00"), noon - day);
    EXPECT_EQ(at("2028-02-29 02:00:00"), 1'835'395'200);   // 2028-02-29 00:00:00 UTC
    EXPECT_FALSE(read_reload_time("2026-11-21 14:00:00", noon)->is_daily);
}

TEST_F(ReloadTimes, WhatIsNoTimeIsRefused) {
    for (const char* text : {"", "14:00", "24:00:00", "14:60:00", "14:00:60", "2026-13-01 14:00:00", "2026-02-29 14:00:00", "2026-11-00 14:00:00",
                             "2026-11-21T14:00:00", "14:00:00 tomorrow", "1a:00:00", "026-11-21 14:00:00", "Z"}) {
        EXPECT_FALSE(read_reload_time(text, noon)) << text;
    }
}

TEST_F(ReloadTimes, ATimeComesOnceAndItsFileGoes) {
    ReloadSchedule schedule;
    schedule.configure(path(), false);
    EXPECT_FALSE(schedule.is_due(noon));
    write("14:00:05\n");
    EXPECT_FALSE(schedule.is_due(noon));
    EXPECT_FALSE(schedule.is_due(noon + 4));
    EXPECT_TRUE(schedule.is_due(noon + 5));
    EXPECT_FALSE(exists());
    EXPECT_FALSE(schedule.is_due(noon + 6));
    EXPECT_FALSE(schedule.is_due(noon + day + 5));
}

TEST_F(ReloadTimes, WithRepeatItComesEveryDayAndTheFileStays) {
    ReloadSchedule schedule;
    schedule.configure(path(), true);
    write("14:00:05");
    EXPECT_FALSE(schedule.is_due(noon));
    EXPECT_TRUE(schedule.is_due(noon + 7));   // the process slept
    EXPECT_TRUE(exists());
    EXPECT_FALSE(schedule.is_due(noon + day + 4));
    EXPECT_TRUE(schedule.is_due(noon + day + 5));
}

TEST_F(ReloadTimes, ADateDoesNotRepeat) {
    ReloadSchedule schedule;
    schedule.configure(path(), true);
    write("2026-11-20 14:00:05");
    EXPECT_FALSE(schedule.is_due(noon));
    EXPECT_TRUE(schedule.is_due(noon + 5));
    EXPECT_FALSE(exists());
}

TEST_F(ReloadTimes, AnotherTimeReplacesTheFirst) {
    ReloadSchedule schedule;
    schedule.configure(path(), false);
    write("14:00:05");
    EXPECT_FALSE(schedule.is_due(noon));
    write("14:00:09");
    EXPECT_FALSE(schedule.is_due(noon + 6));
    EXPECT_TRUE(schedule.is_due(noon + 9));
}

TEST_F(ReloadTimes, WithoutTheFileNothingComes) {
    ReloadSchedule schedule;
    schedule.configure(path(), false);
    write("14:00:05");
    EXPECT_FALSE(schedule.is_due(noon));
    std::filesystem::remove(path());
    EXPECT_FALSE(schedule.is_due(noon + 5));
}

TEST_F(ReloadTimes, ATimeThatIsOverIsNotMadeUpFor) {
    ReloadSchedule schedule;
    schedule.configure(path(), false);
    write("2026-11-20 13:00:00");
    EXPECT_FALSE(schedule.is_due(noon));
    EXPECT_FALSE(schedule.is_due(noon + day));
    EXPECT_TRUE(exists());
}

TEST_F(ReloadTimes, TheSameTimeWrittenAgainIsTheNextDays) {
    ReloadSchedule schedule;
    schedule.configure(path(), false);
    write("14:00:05");
    EXPECT_FALSE(schedule.is_due(noon));
    EXPECT_TRUE(schedule.is_due(noon + 5));
    write("14:00:05");
    EXPECT_FALSE(schedule.is_due(noon + 6));
    EXPECT_TRUE(schedule.is_due(noon + day + 5));
}

}  // namespace
}  // namespace vigil::daemon
