using System.Net;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Godwit.Server.Pages;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Access;

public class LoginTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_right_password_opens_a_session_whose_cookie_no_script_and_no_other_site_can_use()
    {
        await using var site = await Site.StartAsync();
        await site.AddAsync("ada", Role.Viewer);
        using var browser = site.NewVisitor();

        var page = await LoginAsync(browser, "ada", Site.Password);

        page.Status.ShouldBe(302);
        page.Location.ShouldBe("/");
        var cookie = page.Cookies.Single(c => c.StartsWith("godwit_session=", StringComparison.Ordinal)).ToLowerInvariant();
        cookie.ShouldContain("httponly");
        cookie.ShouldContain("samesite=lax");
        cookie.ShouldNotContain("max-age");
        (await browser.GetAsync("/account")).Heading.ShouldBe("ada");
        (await site.AuditAsync())[0].ShouldBe("ada from 127.0.0.1: login ada (password)");
        site.Log.ShouldContain("Information: ada logged in from 127.0.0.1 by password");
    }

    [Fact]
    public async Task Behind_a_proxy_that_speaks_https_the_cookie_is_for_https_and_this_host_alone()
    {
        await using var site = await Site.StartAsync(o => o with { Proxy = IPAddress.Loopback });
        await site.AddAsync("ada", Role.Viewer);
        using var browser = site.NewVisitor();
        browser.Headers["X-Forwarded-Proto"] = "https";
        browser.Headers["X-Forwarded-For"] = "203.0.113.9";

        var page = await LoginAsync(browser, "ada", Site.Password);

        var cookie = page.Cookies.Single(c => c.StartsWith("__Host-godwit_session=", StringComparison.Ordinal)).ToLowerInvariant();
        cookie.ShouldContain("secure");
        cookie.ShouldContain("path=/");
        cookie.ShouldNotContain("domain");
        (await site.AuditAsync())[0].ShouldStartWith("ada from 203.0.113.9: login");
    }

    [Fact]
    public async Task The_word_of_somebody_who_is_not_the_proxy_is_not_taken_for_who_calls()
    {
        await using var site = await Site.StartAsync(o => o with { Proxy = IPAddress.Parse("192.0.2.1") });
        await site.AddAsync("ada", Role.Viewer);
        using var browser = site.NewVisitor();
        browser.Headers["X-Forwarded-For"] = "203.0.113.9";

        await LoginAsync(browser, "ada", "no such password");

        (await site.AuditAsync())[0].ShouldBe("ada from 127.0.0.1: login refused ada (wrong password)");
    }

    [Fact]
    public async Task Nobody_learns_from_a_refusal_whether_there_is_such_a_user_or_whether_it_is_locked()
    {
        await using var site = await Site.StartAsync();
        await site.AddAsync("ada", Role.Viewer);
        await site.AddAsync("locked", Role.Viewer);
        for (var i = 0; i < Accounts.MostFailures; i++)
        {
            await site.Accounts.LoginAsync("locked", "wrong", Ct);
        }

        foreach (var name in new[] { "ada", "nobody", "locked", "<script>alert(1)</script>", "ädä" })
        {
            using var browser = site.NewVisitor();
            var page = await LoginAsync(browser, name, "wrong password");
            page.Status.ShouldBe(200);
            page.Text.ShouldContain(LoginDoor.Refusal);
            page.Html.ShouldNotContain("<script>alert");
            browser.Cookie("godwit_session").ShouldBeNull();
        }
    }

    [Fact]
    public async Task A_password_that_was_typed_where_the_name_belongs_is_kept_nowhere()
    {
        await using var site = await Site.StartAsync();
        using var browser = site.NewVisitor();

        await LoginAsync(browser, "hunter2hunter2", "ada");

        (await site.AuditAsync()).ShouldBe(["somebody from 127.0.0.1: login refused somebody (no such user)"]);
        site.Log.ShouldContain("Warning: A login as somebody from 127.0.0.1 was refused: no such user");
        site.Log.ShouldNotContain(l => l.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task After_ten_wrong_passwords_even_the_right_one_is_refused_until_the_time_is_over()
    {
        await using var site = await Site.StartAsync();
        await site.AddAsync("ada", Role.Viewer);
        for (var i = 0; i < Accounts.MostFailures - 1; i++)
        {
            (await site.Accounts.LoginAsync("ada", "wrong", Ct)).Outcome.ShouldBe(LoginOutcome.Wrong);
        }

        (await site.Accounts.LoginAsync("ada", "wrong", Ct)).Outcome.ShouldBe(LoginOutcome.Locked);
        (await site.Accounts.LoginAsync("ada", Site.Password, Ct)).Outcome.ShouldBe(LoginOutcome.Locked);
        site.Clock.Advance(Accounts.LockOut - TimeSpan.FromSeconds(1));
        (await site.Accounts.LoginAsync("ada", Site.Password, Ct)).Outcome.ShouldBe(LoginOutcome.Locked);
        site.Clock.Advance(TimeSpan.FromSeconds(2));
        (await site.Accounts.LoginAsync("ada", Site.Password, Ct)).Outcome.ShouldBe(LoginOutcome.Welcome);
        (await site.Accounts.FindAsync("ada", Ct))!.Failures.ShouldBe(0);
    }

    [Fact]
    public async Task Tries_at_once_get_no_more_looks_at_the_password_than_tries_in_a_row()
    {
        await using var site = await Site.StartAsync();
        await site.AddAsync("ada", Role.Viewer);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => Task.Run(() => site.Accounts.LoginAsync("ada", $"wrong {i}", Ct))));

        // Each look is counted before it is made, so what was counted is what was looked at.
        (await site.Accounts.FindAsync("ada", Ct))!.Failures.ShouldBe(Accounts.MostFailures);
        outcomes.Count(o => o.Outcome == LoginOutcome.Locked).ShouldBeGreaterThanOrEqualTo(20);
    }

    [Fact]
    public async Task An_address_that_tries_too_often_is_refused_also_with_the_right_password_and_for_other_names()
    {
        await using var site = await Site.StartAsync();
        await site.AddAsync("ada", Role.Viewer);
        var throttle = site.Services.GetRequiredService<LoginThrottle>();
        for (var i = 0; i < LoginThrottle.Most; i++)
        {
            throttle.Try(IPAddress.Loopback).ShouldBeTrue();
        }

        using var browser = site.NewVisitor();
        (await LoginAsync(browser, "ada", Site.Password)).Text.ShouldContain(LoginDoor.TooMany);
        site.Clock.Advance(LoginThrottle.Window + TimeSpan.FromSeconds(1));
        (await LoginAsync(browser, "ada", Site.Password)).Status.ShouldBe(302);
    }

    [Fact]
    public async Task Somebody_with_an_account_cannot_buy_more_tries_at_others_by_logging_in_between()
    {
        await using var site = await Site.StartAsync();
        var throttle = site.Services.GetRequiredService<LoginThrottle>();
        for (var i = 0; i < LoginThrottle.Most - 1; i++)
        {
            throttle.Try(IPAddress.Loopback).ShouldBeTrue();
        }

        throttle.Try(IPAddress.Loopback).ShouldBeTrue();
        throttle.Forgive(IPAddress.Loopback);
        throttle.Try(IPAddress.Loopback).ShouldBeTrue();
        throttle.Try(IPAddress.Loopback).ShouldBeFalse();
    }

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.8", false)]
    public async Task Addresses_that_one_machine_has_at_will_count_as_one(string one, string other, bool areOne)
    {
        await using var site = await Site.StartAsync();
        var throttle = site.Services.GetRequiredService<LoginThrottle>();
        for (var i = 0; i < LoginThrottle.Most; i++)
        {
            throttle.Try(IPAddress.Parse(one));
        }

        throttle.Try(IPAddress.Parse(other)).ShouldBe(!areOne);
    }

    [Theory]
    [InlineData("/runs/1?x=y#z", "/runs/1?x=y#z")]
    [InlineData(null, "/")]
    [InlineData("", "/")]
    [InlineData("https://evil.example/", "/")]
    [InlineData("//evil.example/", "/")]
    [InlineData("/\\evil.example/", "/")]
    [InlineData("/a\\b", "/")]
    [InlineData("/\t/evil.example", "/")]
    [InlineData("/\r\nSet-Cookie: a=b", "/")]
    [InlineData("javascript:alert(1)", "/")]
    [InlineData("/ü", "/")]
    [InlineData("runs", "/")]
    public void Nobody_is_led_to_another_site_by_an_address(string? next, string to) => LocalPath.Of(next).ShouldBe(to);

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("/ü")]
    [InlineData("/\u0001")]
    public async Task A_login_that_was_asked_to_lead_elsewhere_leads_to_the_overview(string next)
    {
        await using var site = await Site.StartAsync();
        await site.AddAsync("ada", Role.Viewer);
        using var browser = site.NewVisitor();

        var page = await browser.SubmitAsync($"/login?next={Uri.EscapeDataString(next)}", "login", ("Form.Name", "ada"), ("Form.Password", Site.Password));

        (page.Status, page.Location).ShouldBe((302, "/"));
    }

    [Fact]
    public async Task Who_is_not_logged_in_is_led_to_the_login_and_from_there_to_where_he_wanted()
    {
        await using var site = await Site.StartAsync();
        await site.AddAsync("ada", Role.Viewer);
        using var browser = site.NewVisitor();

        var asked = await browser.GetAsync("/audit?find=x");
        asked.Location.ShouldBe("/login?next=%2Faudit%3Ffind%3Dx");
        var page = await browser.SubmitAsync(asked.Location!, "login", ("Form.Name", "ada"), ("Form.Password", Site.Password));

        page.Location.ShouldBe("/audit?find=x");
    }

    internal static Task<Page> LoginAsync(Visitor browser, string name, string password) =>
        browser.SubmitAsync("/login", "login", ("Form.Name", name), ("Form.Password", password));
}
