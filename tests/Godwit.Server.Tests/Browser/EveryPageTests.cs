using System.Text.Json;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Metadata.Sqlite;
using Godwit.Migrations;
using Godwit.Plans;
using Godwit.Runs;
using Microsoft.Playwright;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Browser;

/// <summary>Every page, light and dark, on a desk and on a phone.</summary>
public sealed class EveryPageTests(RealEngine real, Chromium chromium)
{
    private const int ManySteps = 10_000;
    private static readonly JsonElement Nothing = JsonSerializer.SerializeToElement(new { });

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, 1280)]
    [InlineData(true, 1280)]
    [InlineData(false, 390)]
    [InlineData(true, 390)]
    public async Task No_page_shuts_anybody_out_or_is_wider_than_its_window(bool isDark, int width)
    {
        await using var server = await ServerFixture.StartAsync(
            real.Engine, new ServerSetup { RunsWorker = false, Migrations = MigrationLoader.Load([], [typeof(TroubleInBrowserTests.WritesToATableThatIsGone)]) });
        await server.UserAsync(Role.Admin);
        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = real.Engine.Url });
        var table = await EventsTable.CreateAsync(gateway, rows: 50_000);
        var proposal = await server.Migrator.ProposeAsync(new Rebuild.RebuildRequest { Table = table, OrderBy = "(user, id)" }, new RunOptions(), Ct);
        var run = await server.Migrator.CreateRunAsync(proposal.Plan!, new RunOptions { DeferCutover = true }, Ct);
        await using var person = await chromium.NewPersonAsync(server.Url, isDark, width);
        await person.OpenAsync("/login");
        await person.RequireGoodPageAsync();
        await person.LogInAsync("admin");

        foreach (var path in Paths(run, table))
        {
            (await person.OpenAsync(path))!.Status.ShouldBe(200, path);
            await Assertions.Expect(person.Page.Locator("main h1")).ToHaveCountAsync(1);
            await Assertions.Expect(person.Page).ToHaveTitleAsync(new System.Text.RegularExpressions.Regex(" · Godwit$"));
            await Assertions.Expect(person.Page.Locator("[data-load]").GetByText("Looking at the server's log")).ToHaveCountAsync(0);
            await Assertions.Expect(person.Page.Locator("[data-load]").GetByText("Counting…")).ToHaveCountAsync(0);
            await person.RequireGoodPageAsync();
            if (path == $"/runs/{run}" && (isDark || width == 390))
            {
                await person.KeepPictureAsync((isDark ? "dark" : "light") + (width == 390 ? "-phone" : ""));
            }
            else if (!isDark && width == 1280)
            {
                await person.KeepPictureAsync(path == "/" ? "overview" : path.Split(run)[^1].Split('?')[0].Trim('/').Replace('/', '-'));
            }
        }
    }

    [Fact]
    public async Task A_run_of_ten_thousand_steps_is_a_grid_and_a_list_of_which_the_page_holds_what_is_looked_at()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine, new ServerSetup { RunsWorker = false });
        await server.UserAsync(Role.Viewer);
        await using (var store = await SqliteStore.OpenAsync(server.State, ct: Ct))
        {
            await store.CreateRunAsync(Run(server.Migrator.Node), Plan(), Ct);
            var lease = await store.AcquireLeaseAsync("manystep", "test", TimeSpan.FromHours(1), Ct);
            for (var i = 0; i < ManySteps; i += 2)
            {
                await store.UpdateStepAsync(lease, new StepRecord("manystep", i, StepState.Done, 1000, 1), Ct);
            }
        }

        await using var person = await chromium.NewPersonAsync(server.Url);
        await person.LogInAsync("viewer");
        await person.OpenAsync("/runs/manystep");

        (await person.Page.Locator("[data-grid]").GetAttributeAsync("data-grid"))!.Length.ShouldBe(ManySteps);
        var rows = person.Page.Locator("tr[data-step]");
        (await rows.CountAsync()).ShouldBeLessThan(ManySteps / 10);
        await Assertions.Expect(person.Page.GetByText("Copy partition 9999")).ToHaveCountAsync(0);
        foreach (var (share, step) in new[] { (0.5, 5000), (1.0, 9999), (0.0, 0) })
        {
            await person.Page.Locator("[data-more]").EvaluateAsync("(list, share) => list.scrollTo(0, share * list.scrollHeight)", share);
            await person.Page.Locator($"tr[data-step='{step}']").WaitForAsync();
            (await rows.CountAsync()).ShouldBeLessThan(ManySteps / 10);
        }
    }

    private static IEnumerable<string> Paths(string run, QualifiedName table) =>
    [
        "/", "/migrations", "/migrations?show=future", "/migrations?show=history", "/migrations/0001_broken", "/migrations/0001_broken/start", "/runs", $"/runs/{run}",
        $"/runs/{run}/journal", $"/runs/{run}/steps/3", $"/runs/{run}/ask/start", $"/runs/{run}/ask/limit", $"/runs/{run}/ask/rollback", "/tables", $"/table?name={table}", $"/rebuild?name={table}", $"/compare?a={table}", $"/compare?a={table}&b={table}&by=user", "/nodes",
        "/users", "/users/admin", "/users/admin/ask/remove", "/new-user", "/account", "/settings", "/audit",
    ];

    private static RunRecord Run(string node) => new()
    {
        RunId = "manystep",
        Migration = Plans.Plan.ByHand,
        Tables = new[] { "db.large" },
        Instance = node,
        State = RunState.NotStarted,
        CreatedAt = DateTimeOffset.UtcNow,
        Options = "{}",
    };

    private static Plan Plan() => new()
    {
        RunId = "manystep",
        Migration = Plans.Plan.ByHand,
        Tables = new[] { "db.large" },
        Operations = [new PlannedOperation { Kind = "rebuild", Description = "Rebuild", Shared = Nothing }],
        Steps = [.. Enumerable.Range(0, ManySteps).Select(i => new PlannedStep { Index = i, Kind = "copy-partition", Node = "host:8123", Description = $"Copy partition {i}", Arguments = Nothing, RowsTotal = 1000 })],
    };
}
