using System.Globalization;
using Godwit.Plans;
using Godwit.Runs;
using Godwit.Workers;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Workers;

/// <summary>Settings have defaults and bounds, and a value that is not good is not stored.</summary>
public sealed class WorkerSettingsTests
{
    [Fact]
    public void What_nobody_has_set_is_the_default()
    {
        var settings = WorkerSettings.Read(new Dictionary<string, string> { ["autoStart"] = "true" });

        (settings.AutoStart, settings.AutoContinue, settings.MaxConcurrentRuns, settings.RollbackWindow).ShouldBe((true, true, 1, TimeSpan.FromHours(24)));
        settings.Texts.Keys.ShouldBe(WorkerSettings.Definitions.Select(d => d.Name));
    }

    [Theory]
    [InlineData("autoStart", "true", null)]
    [InlineData("autoStart", "yes", "autoStart: 'yes' is not true or false.")]
    [InlineData("maxConcurrentRuns", "0", "maxConcurrentRuns: the value 0 is below 1.")]
    [InlineData("timeWindows", "", null)]
    [InlineData("timeWindows", "22:00-06:00, 12:00-13:30", null)]
    [InlineData("timeWindows", "any", null)]
    [InlineData("timeWindows", "22-6", "timeWindows: '22-6' is not a window of time such as 22:00-06:00.")]
    [InlineData("timeWindows", "06:00-06:00", "timeWindows: '06:00-06:00' is not a window of time such as 22:00-06:00.")]
    [InlineData("speed", "9", "There is no setting speed; there are autoStart, autoContinue, autoRollback, blockUpgrade, drain, maxConcurrentRuns, notify, rollbackWindowHours, statementTimeoutMinutes, timeWindows.")]
    public void A_value_is_looked_at_before_it_is_stored(string name, string value, string? problem) => WorkerSettings.Problems(name, value).ShouldBe(problem is null ? [] : [problem]);

    [Fact]
    public void A_setting_of_another_version_is_refused() =>
        Should.Throw<StoredFormatException>(() => WorkerSettings.Read(new Dictionary<string, string> { ["speed"] = "9" })).Message.ShouldContain("There is no parameter speed");

    [Theory]
    [InlineData("22:00-06:00", "23:30", true)]
    [InlineData("22:00-06:00", "05:59", true)]
    [InlineData("22:00-06:00", "06:00", false)]
    [InlineData("22:00-06:00", "21:59", false)]
    [InlineData("08:00-09:00, 12:00-13:00", "12:30", true)]
    [InlineData("", "12:30", true)]
    public void A_window_may_go_over_midnight(string windows, string time, bool contains) =>
        TimeWindows.Parse(windows).Contain(new DateTimeOffset(2026, 5, 4, int.Parse(time[..2], null), int.Parse(time[3..], null), 0, TimeSpan.Zero)).ShouldBe(contains);

    [Theory]
    [InlineData("22:00-06:00", "04T23:30", "04T23:30")]
    [InlineData("22:00-06:00", "04T06:00", "04T22:00")]
    [InlineData("08:00-09:00, 12:00-13:00", "04T10:00", "04T12:00")]
    [InlineData("08:00-09:00, 12:00-13:00", "04T13:00", "05T08:00")]
    [InlineData("", "04T13:00", "04T13:00")]
    [InlineData("any", "04T13:00", "04T13:00")]
    public void The_next_moment_of_a_window_is_found(string windows, string moment, string next) => TimeWindows.Parse(windows).Next(At(moment)).ShouldBe(At(next));

    [Theory]
    [InlineData("", null, null)]
    [InlineData("22:00-06:00", null, "its window opens at 2026-05-04 22:00:00 UTC")]
    [InlineData("22:00-06:00", "any", null)]
    [InlineData("", "22:00-06:00", "its window opens at 2026-05-04 22:00:00 UTC")]
    [InlineData("22:00-06:00", "14:00-15:00", "its window opens at 2026-05-04 14:00:00 UTC")]
    public void The_windows_of_a_run_count_instead_of_those_of_the_settings(string setting, string? own, string? hold) =>
        WorkerSettings.Read(new Dictionary<string, string> { ["timeWindows"] = setting }).StartHold(new RunOptions { StartWindow = own }, At("04T13:00")).ShouldBe(hold);

    private static DateTimeOffset At(string dayAndTime) => DateTimeOffset.Parse($"2026-05-{dayAndTime}:00Z", CultureInfo.InvariantCulture);
}
