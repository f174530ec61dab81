using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using Microsoft.Playwright;
using Xunit;

[assembly: AssemblyFixture(typeof(Godwit.Server.Tests.Browser.Chromium))]

namespace Godwit.Server.Tests.Browser;

/// <summary>A real browser, Debian's, and the checker of pages for people who cannot see or cannot use a mouse.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private const string Executable = "/usr/bin/chromium";
    private const string AxePackage = "axe-core@4.11.0";

    // It is to talk to nobody but the server under test; as root it has no sandbox.
    private static readonly string[] Arguments =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    // Tests without a browser do not wait for one.
    private readonly Lazy<Task<Started>> _started = new(StartAsync);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Somebody's browser, without a cookie.</summary>
    /// <param name="server">Where the server is.</param>
    /// <param name="isDark">Whether it prefers dark pages.</param>
    /// <param name="width">How wide its window is, in pixels.</param>
    public async Task<Person> NewPersonAsync(Uri server, bool isDark = false, int width = 1280)
    {
        var started = await _started.Value;
        var context = await started.Browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = server.ToString(),
            ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
            ViewportSize = new ViewportSize { Width = width, Height = 900 },

            // For axe-core alone, which a page of ours would not let in.
            BypassCSP = true,
        });
        context.SetDefaultTimeout(180_000);
        return new Person(context, await context.NewPageAsync(), started.Axe);
    }

    public async ValueTask DisposeAsync()
    {
        if (_started.IsValueCreated)
        {
            var started = await _started.Value;
            await started.Browser.CloseAsync();
            started.Playwright.Dispose();
        }
    }

    private static async Task<Started> StartAsync()
    {
        var axe = await ReadAxeAsync();
        var playwright = await Playwright.CreateAsync();
        return new Started(playwright, await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Executable, Args = Arguments }), axe);
    }

    private static async Task<string> ReadAxeAsync()
    {
        var folder = Directory.CreateTempSubdirectory("godwit-axe-");
        try
        {
            var start = new ProcessStartInfo("npm", ["pack", AxePackage, "--silent"]) { WorkingDirectory = folder.FullName, RedirectStandardOutput = true, RedirectStandardError = true };
            using var npm = Process.Start(start)!;
            var (said, errors) = (npm.StandardOutput.ReadToEndAsync(), npm.StandardError.ReadToEndAsync());
            await npm.WaitForExitAsync();
            var file = folder.GetFiles("*.tgz").SingleOrDefault() ?? throw new IOException($"npm did not bring {AxePackage}: {await said}{await errors}");
            await using var gzip = new GZipStream(file.OpenRead(), CompressionMode.Decompress);
            await using var tar = new TarReader(gzip);
            while (await tar.GetNextEntryAsync() is { } entry)
            {
                if (entry.Name == "package/axe.min.js")
                {
                    using var text = new StreamReader(entry.DataStream!);
                    return await text.ReadToEndAsync();
                }
            }

            throw new IOException($"{AxePackage} holds no axe.min.js.");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private sealed record Started(IPlaywright Playwright, IBrowser Browser, string Axe);
}
