using System.Globalization;
using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Server.Tests.Access;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Pages;

public class AuditTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_says_who_did_what_from_where_and_when_as_text()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Viewer);
        await site.Migrator.RecordAsync(new Actor("<b>ada</b>", "203.0.113.7"), "add user", "\"bob'\u202E", "<script>alert(1)</script>\u001b[31m", Ct);

        var page = await browser.GetAsync("/audit");

        page.Text.ShouldContain($"{site.Clock.GetUtcNow().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC <b>ada</b> 203.0.113.7 add user \"bob'\uFFFD <script>alert(1)</script>\uFFFD[31m");
        page.Html.ShouldNotContain("<script>alert");
    }

    [Fact]
    public async Task It_is_turned_over_page_by_page_without_missing_an_entry()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Viewer);
        for (var i = 0; i < 250; i++)
        {
            await site.Migrator.RecordAsync("ada", "did", $"thing-{i:000}.", ct: Ct);
        }

        List<int> sizes = [];
        HashSet<string> seen = [];
        for (var path = "/audit"; path is not null;)
        {
            var page = await browser.GetAsync(path);
            var things = System.Text.RegularExpressions.Regex.Matches(page.Html, @"thing-\d+\.").Select(m => m.Value).ToList();
            sizes.Add(things.Count);
            seen.UnionWith(things);
            path = System.Text.RegularExpressions.Regex.Match(page.Html, "href=\"(/audit\\?before=\\d+)\" rel=\"next\"") is { Success: true } next ? next.Groups[1].Value : null;
        }

        sizes.ShouldBe([100, 100, 50]);
        seen.Count.ShouldBe(250);
    }

    [Fact]
    public async Task What_is_sought_is_found_however_far_back_it_lies()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Viewer);
        await site.Migrator.RecordAsync(new Actor("Grace", "203.0.113.7"), "did", "needle & thread", ct: Ct);
        for (var i = 0; i < 1100; i++)
        {
            await site.Migrator.RecordAsync("ada", "did", "hay", ct: Ct);
        }

        foreach (var text in new[] { "NEEDLE", "grace", "203.0.113.7", "needle %26 thread" })
        {
            var page = await browser.GetAsync($"/audit?find={text}");
            page.Text.ShouldContain("needle & thread");
            page.Text.ShouldNotContain(" hay ");
        }

        (await browser.GetAsync("/audit?find=%3Cscript%3E")).Text.ShouldContain("Nothing was found.");
    }
}
