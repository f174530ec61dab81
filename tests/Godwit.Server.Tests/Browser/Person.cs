using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Shouldly;

namespace Godwit.Server.Tests.Browser;

/// <summary>Somebody before a browser.</summary>
/// <param name="context">The browser's cookies.</param>
/// <param name="page">The page that is open.</param>
/// <param name="axe">The script of axe-core.</param>
public sealed partial class Person(IBrowserContext context, IPage page, string axe) : IAsyncDisposable
{
    /// <summary>The page that is open.</summary>
    public IPage Page => page;

    /// <summary>What the page says.</summary>
    public Task<string> TextAsync() => page.Locator("main").InnerTextAsync();

    /// <summary>Opens a page.</summary>
    public Task<IResponse?> OpenAsync(string path) => page.GotoAsync(path);

    /// <summary>Logs in.</summary>
    public async Task LogInAsync(string name, string password = ServerFixture.Password)
    {
        await OpenAsync("/login");
        await page.GetByLabel("Name").FillAsync(name);
        await page.GetByLabel("Password").FillAsync(password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Overview" }).WaitForAsync();
    }

    /// <summary>Presses a button of a run, and confirms what it says will happen.</summary>
    /// <returns>What it said.</returns>
    public async Task<string> DoAsync(string label)
    {
        await page.Locator("[data-region=actions]").GetByRole(AriaRole.Link, new() { Name = label }).ClickAsync();
        var dialog = page.Locator("dialog[open]");
        var said = await dialog.InnerTextAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = label }).ClickAsync();
        await dialog.WaitForAsync(new() { State = WaitForSelectorState.Detached });
        return said;
    }

    /// <summary>Waits until the page of a run says that it is in a state, without loading it again.</summary>
    public Task SeesStateAsync(string state) => page.Locator("[data-region=head] .badge", new() { HasTextString = state }).WaitForAsync();

    /// <summary>Waits until the page says something.</summary>
    /// <exception cref="TimeoutException">It did not; the message has what it said instead.</exception>
    public async Task SeesAsync(string text)
    {
        try
        {
            await page.GetByText(text).WaitForAsync();
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{page.Url} does not say \"{text}\" but:\n{await TextAsync()}", e);
        }
    }

    /// <summary>Requires that nothing is wrong with the page for people who use it without eyes or mouse, and that it is not wider than the window.</summary>
    public async Task RequireGoodPageAsync()
    {
        await page.AddScriptTagAsync(new() { Content = axe });
        var violations = await page.EvaluateAsync<string[]>(
            "async () => (await axe.run()).violations.filter(v => v.impact === 'serious' || v.impact === 'critical').map(v => `${v.impact} ${v.id}: ${v.nodes.map(n => n.target).join(' | ')}`)");
        violations.ShouldBeEmpty(page.Url);
        (await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")).ShouldBeLessThanOrEqualTo(0, $"{page.Url} is wider than its window");
    }

    /// <summary>Keeps a picture of the page for the documentation, when GODWIT_SCREENSHOTS names a folder.</summary>
    public async Task KeepPictureAsync(string name, bool whole = false)
    {
        if (Environment.GetEnvironmentVariable("GODWIT_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png"), FullPage = whole });
        }
    }

    /// <summary>The run whose page is open.</summary>
    public string Run => RunForm().Match(page.Url).Groups[1].Value;

    public async ValueTask DisposeAsync() => await context.DisposeAsync();

    [GeneratedRegex("/runs/([a-z0-9]{8})")]
    private static partial Regex RunForm();
}
