using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Engine;

/// <summary>
/// The inside of the child process that is ClickHouse. Its standard input is a pipe of its parent: "stop" asks for a clean
/// end, and the end of the pipe says that the parent is gone, however it went.
/// </summary>
internal static class EngineHost
{
    /// <summary>What the parent writes to ask for a clean end.</summary>
    public const string StopWord = "stop";

    private static readonly TimeSpan PatienceWithParent = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PatienceWithout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan KillQueriesLimit = TimeSpan.FromSeconds(1);
    private static int s_stopping;

    /// <summary>Runs ClickHouse until it is told to stop: the library, the HTTP port, and the arguments of ClickHouse.</summary>
    public static int Run(string[] args)
    {
        if (args is not [var library, var port, .. var arguments] || !int.TryParse(port, CultureInfo.InvariantCulture, out var http))
        {
            Console.Error.WriteLine("This program is for Godwit itself; to start an engine by hand there is 'godwit engine'.");
            return 2;
        }

        try
        {
            // A Ctrl+C in the terminal is for the parent, which then ends this process in its own order.
            _ = Libc.NewSession();
            var parent = Libc.Checked(Libc.Dup(0), "dup");
            using var terminal = PseudoTerminal.OnStandardInput();
            void Stop(PosixSignalContext signal)
            {
                signal.Cancel = true;
                Begin(() => StopCleanly(terminal, http, PatienceWithParent));
            }

            using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
            Begin(() => ListenToParent(parent, terminal, http));
            var error = ClickHouse(library, ["clickhouse-local", .. arguments]);
            if (error is not null)
            {
                Console.Error.WriteLine(error);
            }
        }
        catch (Exception e) when (e is IOException or DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }

        // Not through the exit handlers of the library: ClickHouse has shut down by now, and nothing else is left to do.
        Libc.ExitNow(Volatile.Read(ref s_stopping) == 0 ? 1 : 0);
        return 1;
    }

    private static unsafe string? ClickHouse(string library, string[] arguments)
    {
        var handle = NativeLibrary.Load(library);
        var signals = (delegate* unmanaged<int, void>)NativeLibrary.GetExport(handle, "chdb_set_signal_handlers_enabled");
        var main = (delegate* unmanaged<int, byte**, nint>)NativeLibrary.GetExport(handle, "chdb_query_cmdline");
        var errorOf = (delegate* unmanaged<nint, byte*>)NativeLibrary.GetExport(handle, "chdb_result_error");

        // ClickHouse's handler of SIGSEGV would turn every null reference of .NET into a crash.
        signals(0);
        var argv = (byte**)NativeMemory.AllocZeroed((nuint)(arguments.Length + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < arguments.Length; i++)
        {
            argv[i] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[i]);
        }

        // Never freed: the process ends with the call.
        var result = main(arguments.Length, argv);
        return result == 0 ? null : Marshal.PtrToStringUTF8((nint)errorOf(result));
    }

    private static void ListenToParent(int pipe, PseudoTerminal terminal, int http)
    {
        using var handle = new SafeFileHandle(pipe, ownsHandle: true);
        using var stream = new FileStream(handle, FileAccess.Read, bufferSize: 0);
        using var reader = new StreamReader(stream);
        try
        {
            while (reader.ReadLine() is { } line)
            {
                if (line == StopWord)
                {
                    Begin(() => StopCleanly(terminal, http, PatienceWithParent));
                }
            }
        }
        catch (IOException)
        {
            // A pipe that cannot be read has no parent at its other end either.
        }

        StopCleanly(terminal, http, PatienceWithout);
    }

    private static void StopCleanly(PseudoTerminal terminal, int http, TimeSpan patience)
    {
        Interlocked.Exchange(ref s_stopping, 1);
        using var deadline = new Timer(_ => Libc.Kill(Environment.ProcessId, Libc.SignalKill), null, patience, Timeout.InfiniteTimeSpan);
        KillQueries(http);
        while (true)
        {
            try
            {
                // Again and again: what is typed before ClickHouse shows its prompt can get lost.
                terminal.Type("exit");
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // The terminal is closed already. What remains is to wait for the end, or for the deadline.
            }

            Thread.Sleep(300);
        }
    }

    private static void KillQueries(int http)
    {
        // ClickHouse waits for running queries before it ends.
        using var client = new HttpClient { Timeout = KillQueriesLimit };
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{http}/")
        {
            Content = new StringContent("KILL QUERY WHERE 1 ASYNC"),
        };
        try
        {
            using var response = client.Send(request);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            // It does not listen yet or not any more: then there is nothing to kill, and the deadline stands.
        }
    }

    private static void Begin(Action action) => new Thread(() => action()) { IsBackground = true }.Start();
}
