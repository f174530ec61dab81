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

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The script of axe-core.</summary>
    public string Axe { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Axe = await ReadAxeAsync();
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Executable, Args = Arguments });
    }

    /// <summary>Somebody's browser, without a cookie.</summary>
    /// <param name="server">Where the server is.</param>
    /// <param name="isDark">Whether it prefers dark pages.</param>
    /// <param name="width">How wide its window is, in pixels.</param>
    public async Task<Person> NewPersonAsync(Uri server, bool isDark = false, int width = 1280)
    {
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = server.ToString(),
            ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
            ViewportSize = new ViewportSize { Width = width, Height = 900 },

            // For axe-core alone, which a page of ours would not let in.
            BypassCSP = true,
        });
        context.SetDefaultTimeout(60_000);
        return new Person(context, await context.NewPageAsync(), Axe);
    }

    public async ValueTask DisposeAsync()
    {
        await (_browser?.CloseAsync() ?? Task.CompletedTask);
        _playwright?.Dispose();
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
}
