using Godwit.Metadata.Accounts;
using Godwit.Server.Tests.Access;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Pages;

/// <summary>Who may see what, and do what.</summary>
public class RoleTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string, int, int, int, int> Places => new()
    {
        // Path, nobody, viewer, operator, admin.
        { "/", 302, 200, 200, 200 },
        { "/runs", 302, 200, 200, 200 },
        { "/account", 302, 200, 200, 200 },
        { "/settings", 302, 200, 200, 200 },
        { "/audit", 302, 200, 200, 200 },
        { "/compare", 302, 200, 200, 200 },
        { "/compare/report?a=x", 302, 200, 200, 200 },
        { "/nonsense", 302, 404, 404, 404 },
        { "/users", 302, 403, 403, 200 },
        { "/new-user", 302, 403, 403, 200 },
        { "/users/viewer", 302, 403, 403, 200 },
        { "/users/viewer/ask/remove", 302, 403, 403, 200 },
        { "/users/viewer/ask/logout", 302, 403, 403, 200 },
        { "/runs/x/ask/pause", 302, 403, 404, 404 },
        { "/live/overview/x", 401, 404, 404, 404 },
        { "/live/runs/nosuch", 401, 404, 404, 404 },
        { "/login", 200, 200, 200, 200 },
        { "/setup", 200, 200, 200, 200 },
        { "/status/404", 200, 200, 200, 200 },
        { "/failed", 200, 200, 200, 200 },
        { "/healthz", 200, 200, 200, 200 },
        { "/api/v1/openapi.json", 401, 200, 200, 200 },
    };

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Everybody_sees_what_its_role_may_see(string path, int nobody, int viewer, int @operator, int admin)
    {
        await using var site = await Site.StartAsync();
        using var anonymous = site.NewVisitor();
        using var viewers = await site.VisitorOfAsync(Role.Viewer);
        using var operators = await site.VisitorOfAsync(Role.Operator);
        using var admins = await site.VisitorOfAsync(Role.Admin);

        int[] seen = [(await anonymous.GetAsync(path)).Status, (await viewers.GetAsync(path)).Status, (await operators.GetAsync(path)).Status, (await admins.GetAsync(path)).Status];

        seen.ShouldBe([nobody, viewer, @operator, admin]);
    }

    [Theory]
    [InlineData("/new-user")]
    [InlineData("/users/admin")]
    [InlineData("/users/admin/ask/remove")]
    public async Task Who_sends_a_form_that_is_not_for_its_role_is_refused_and_that_is_kept(string path)
    {
        await using var site = await Site.StartAsync();
        using var admin = await site.VisitorOfAsync(Role.Admin);
        using var browser = await site.VisitorOfAsync(Role.Operator);
        var hidden = (await browser.GetAsync("/account")).Form("logout-all")!.Value.Hidden.Where(h => h.Name != "_handler");

        foreach (var handler in new[] { "user", "role", "password", "ask" })
        {
            var page = await browser.PostAsync(path, [.. hidden, ("_handler", handler), ("Form.Name", "x"), ("Form.Role", "Admin"), ("Form.Password", Site.Password)]);
            page.Status.ShouldBe(403);
            page.Text.ShouldContain("You are Operator, and that is not enough.");
        }

        (await site.Accounts.ListAsync(Ct)).Select(u => $"{u.Name} {u.Role}").ShouldBe(["admin Admin", "operator Operator"]);
        (await site.AuditAsync())[0].ShouldBe($"operator from 127.0.0.1: refused {path} (POST by Operator)");
        site.Log.ShouldContain($"Warning: operator (Operator) from 127.0.0.1 may not do POST {path}");
    }

    [Fact]
    public async Task A_viewer_changes_no_setting_whatever_it_sends()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Viewer);
        (await browser.GetAsync("/settings")).Form("drain").ShouldBeNull();
        var hidden = (await browser.GetAsync("/account")).Form("logout-all")!.Value.Hidden.Where(h => h.Name != "_handler");

        (await browser.PostAsync("/settings", [.. hidden, ("_handler", "drain"), ("Form.Value", "true"), ("Form.Act", "save")])).Status.ShouldBe(400);

        (await site.Migrator.SettingsAsync(Ct)).Drain.ShouldBeFalse();
        (await site.AuditAsync())[0].ShouldBe("viewer from 127.0.0.1: refused /settings (POST by Viewer)");
    }

    [Fact]
    public async Task Only_admins_are_shown_the_way_to_the_users()
    {
        await using var site = await Site.StartAsync();
        using var viewer = await site.VisitorOfAsync(Role.Viewer);
        using var admin = await site.VisitorOfAsync(Role.Admin);

        (await viewer.GetAsync("/audit")).Html.ShouldNotContain("href=\"/users\"");
        (await admin.GetAsync("/audit")).Html.ShouldContain("href=\"/users\"");
    }
}
