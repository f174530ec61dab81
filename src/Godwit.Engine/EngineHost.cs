using System.Net.Http.Headers;
using System.Runtime.InteropServices;

namespace Godwit.Engine;

/// <summary>
/// The child process around libchdb: ClickHouse lives in it until it is told to end, or its parent is gone. It is started by
/// <see cref="EngineProcess"/> and by nobody else.
/// </summary>
public static unsafe class EngineHost
{
    /// <summary>The word that makes the program an engine host instead of a command line.</summary>
    public const string Verb = "__engine-host";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Runs ClickHouse until it ends.</summary>
    /// <param name="args">The library, then the arguments of clickhouse-local.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string[] args)
    {
        // The parent holds the other end of this pipe: its end is the parent's end, however that came.
        var parent = Native.Dup(0);
        var terminal = PseudoTerminal.ReplaceStandardInput();
        var port = args.First(a => a.StartsWith("--http_port=", StringComparison.Ordinal))["--http_port=".Length..];
        void End()
        {
            KillQueries(port);
            terminal.Write("exit\n");
        }

        new Thread(() => EndWithParent(parent, End)) { IsBackground = true }.Start();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => { context.Cancel = true; End(); });
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        return RunClickHouse(args[0], ["clickhouse-local", .. args[1..]]);
    }

    private static int RunClickHouse(string library, string[] arguments)
    {
        var handle = NativeLibrary.Load(library);

        // Its handler would turn a NullReferenceException of the runtime into the end of the process.
        ((delegate* unmanaged<int, void>)NativeLibrary.GetExport(handle, "chdb_set_signal_handlers_enabled"))(0);
        var query = (delegate* unmanaged<int, byte**, nint>)NativeLibrary.GetExport(handle, "chdb_query_cmdline");
        var argv = (byte**)NativeMemory.Alloc((nuint)(arguments.Length + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < arguments.Length; i++)
        {
            argv[i] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[i]);
        }

        argv[arguments.Length] = null;
        query(arguments.Length, argv);

        // Nothing of the runtime may run after ClickHouse has taken its threads down.
        Native.Exit(0);
        return 0;
    }

    private static void EndWithParent(int pipe, Action end)
    {
        byte nothing;
        while (Native.Read(pipe, &nothing, 1) > 0)
        {
        }

        end();
        Thread.Sleep(Patience);
        Native.Exit(3);
    }

    // "exit" waits for running queries. A server that does not answer is ended all the same.
    private static void KillQueries(string port)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(3) };
        using var content = new StringContent("KILL QUERY WHERE query_id != queryID() ASYNC");
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        try
        {
            using var response = http.PostAsync(new Uri($"http://127.0.0.1:{port}/"), content).GetAwaiter().GetResult();
        }
        catch (HttpRequestException)
        {
        }
        catch (TaskCanceledException)
        {
        }
    }
}
