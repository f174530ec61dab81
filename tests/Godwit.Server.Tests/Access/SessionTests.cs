using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Access;

public class SessionTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_that_somebody_planted_in_a_browser_is_not_the_one_that_a_login_there_begins()
    {
        await using var site = await Site.StartAsync();
        await site.AddAsync("ada", Role.Admin);
        using var mallory = await site.VisitorOfAsync(Role.Viewer, "mallory");
        using var browser = site.NewVisitor();
        var planted = mallory.Cookie("godwit_session")!;
        browser.SetCookie("godwit_session", planted);

        (await LoginTests.LoginAsync(browser, "ada", Site.Password)).Status.ShouldBe(302);

        browser.Cookie("godwit_session").ShouldNotBe(planted);
        (await browser.GetAsync("/account")).Heading.ShouldBe("ada");
        (await mallory.GetAsync("/account")).Status.ShouldBe(302);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("' OR 1=1 --")]
    [InlineData("CfDJ8Fg-xrz1a8RFukOJ2KuIvRGeLr3jm")]
    public async Task A_forged_cookie_opens_nothing(string forged)
    {
        await using var site = await Site.StartAsync();
        await site.AddAsync("ada", Role.Admin);
        using var browser = site.NewVisitor();
        browser.SetCookie("godwit_session", forged);

        var page = await browser.GetAsync("/users");

        page.Status.ShouldBe(302);
        page.Location.ShouldBe("/login?next=%2Fusers");
    }

    [Fact]
    public async Task What_the_store_keeps_of_a_session_does_not_open_it()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Admin);
        using var thief = site.NewVisitor();
        thief.SetCookie("godwit_session", Tokens.Hash(browser.Cookie("godwit_session")!));

        (await thief.GetAsync("/users")).Status.ShouldBe(302);
    }

    [Fact]
    public async Task A_session_ends_after_hours_in_which_nothing_was_done_and_after_days_in_any_case()
    {
        await using var site = await Site.StartAsync();
        using var idle = await site.VisitorOfAsync(Role.Viewer);
        site.Clock.Advance(Sessions.Idle - TimeSpan.FromMinutes(1));
        (await idle.GetAsync("/account")).Status.ShouldBe(200);
        site.Clock.Advance(Sessions.Idle - TimeSpan.FromMinutes(1));
        (await idle.GetAsync("/account")).Status.ShouldBe(200);
        site.Clock.Advance(Sessions.Idle + TimeSpan.FromMinutes(1));
        (await idle.GetAsync("/account")).Status.ShouldBe(302);

        using var busy = await site.VisitorOfAsync(Role.Viewer);
        var hours = 0;
        for (; (await busy.GetAsync("/account")).Status == 200; hours += 8)
        {
            site.Clock.Advance(TimeSpan.FromHours(8));
        }

        hours.ShouldBe((int)Sessions.Longest.TotalHours);
    }

    [Fact]
    public async Task Logging_out_ends_the_session_on_the_server_and_not_only_in_the_browser()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Viewer);
        using var copy = site.NewVisitor();
        copy.SetCookie("godwit_session", browser.Cookie("godwit_session")!);

        var page = await browser.SubmitAsync("/account", "logout");

        page.Location.ShouldBe("/login");
        browser.Cookie("godwit_session").ShouldBeNull();
        (await copy.GetAsync("/account")).Status.ShouldBe(302);
        site.Log.ShouldContain("Information: viewer logged out from 127.0.0.1");
    }

    [Fact]
    public async Task A_session_outlives_the_process()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Viewer);
        await using var other = await Site.StartAsync(state: site.State);
        using var there = other.NewVisitor();
        there.SetCookie("godwit_session", browser.Cookie("godwit_session")!);

        (await there.GetAsync("/account")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Forms_of_one_process_are_taken_by_the_next()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Operator);
        var (action, hidden) = (await browser.GetAsync("/settings")).Form("drain")!.Value;
        await using var other = await Site.StartAsync(state: site.State);
        using var there = other.NewVisitor();
        browser.CookieNames.ToList().ForEach(n => there.SetCookie(n, browser.Cookie(n)!));

        (await there.PostAsync(action!, [.. hidden, ("Form.Value", "true"), ("Form.Act", "save")])).Status.ShouldBe(302);
    }

    [Fact]
    public async Task A_user_who_is_removed_can_do_nothing_from_the_next_request_on()
    {
        await using var site = await Site.StartAsync();
        using var admin = await site.VisitorOfAsync(Role.Admin);
        using var ada = await site.VisitorOfAsync(Role.Operator, "ada");
        var form = (await ada.GetAsync("/settings")).Form("drain")!.Value;

        (await admin.SubmitAsync("/users/ada/ask/remove", "ask")).Location.ShouldBe("/users?removed=1");

        (await ada.PostAsync(form.Action!, [.. form.Hidden, ("Form.Value", "true"), ("Form.Act", "save")])).Location.ShouldBe("/login?next=%2F");
        (await ada.GetAsync("/")).Status.ShouldBe(302);
        (await site.Migrator.SettingsAsync(Ct)).Drain.ShouldBeFalse();

        // Nor has somebody who is called the same later anything of it.
        await site.AddAsync("ada", Role.Admin);
        (await ada.GetAsync("/")).Status.ShouldBe(302);
    }

    [Fact]
    public async Task A_user_whose_role_is_lowered_has_the_lower_one_from_the_next_request_on_and_so_have_its_tokens()
    {
        await using var site = await Site.StartAsync();
        using var admin = await site.VisitorOfAsync(Role.Admin);
        using var ada = await site.VisitorOfAsync(Role.Admin, "ada");
        var (token, _) = await site.Tokens.MakeAsync((await site.Accounts.FindAsync("ada", Ct))!, "x", Role.Admin, 1, Ct);
        (await ada.GetAsync("/users")).Status.ShouldBe(200);

        (await admin.SubmitAsync("/users/ada", "role", ("Form.Role", "Viewer"))).Location.ShouldBe("/users/ada?done=role");

        (await ada.GetAsync("/users")).Status.ShouldBe(403);
        (await site.Tokens.FindAsync(token!, Ct))!.Value.Role.ShouldBe(Role.Viewer);
    }

    [Fact]
    public async Task What_an_open_page_is_told_ends_with_its_session()
    {
        await using var site = await Site.StartAsync();
        using var ada = await site.VisitorOfAsync(Role.Viewer, "ada");
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = site.Url, Timeout = Timeout.InfiniteTimeSpan };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/live/overview");
        request.Headers.Add("Cookie", $"godwit_session={ada.Cookie("godwit_session")}");
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(Ct));
        (await lines.ReadLineAsync(Ct)).ShouldNotBeNull().ShouldStartWith("data:");

        await site.AddAsync("boss", Role.Admin);
        await site.Accounts.RemoveAsync("ada", Ct);
        site.Clock.Advance(TimeSpan.FromMinutes(1));

        // A run that nobody may hear of any more makes the overview another one.
        await site.Migrator.CreateRunAsync(SomePlan.Of(site.Migrator.Node), new Godwit.Runs.RunOptions(), Ct);
        var rest = await lines.ReadToEndAsync(Ct).WaitAsync(TimeSpan.FromMinutes(2), Ct);
        rest.ShouldNotContain(SomePlan.Table);
    }
}
